import type { Observation } from '../observe.ts';

/** A rule of the stream contract. */
export interface Invariant {
  /** Names the rule in reports. */
  id: string;
  /** @returns what is wrong, or undefined */
  check(seen: Observation): string | undefined;
}
