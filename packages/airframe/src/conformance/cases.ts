import { ALWAYS } from './cases/always.ts';
import { ANSWERS } from './cases/answers.ts';
import { CALLS } from './cases/calls.ts';
import { ENDINGS } from './cases/endings.ts';
import { FRAMING } from './cases/framing.ts';
import { STATUSES } from './cases/statuses.ts';
import type { ConformanceCase } from './conformance-case.ts';

/** Every case of the kit. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = [
  ...FRAMING,
  ...ANSWERS,
  ...ENDINGS,
  ...STATUSES,
  ...CALLS,
  ...ALWAYS,
];
