import { CONNECTION } from './invariants/connection.ts';
import { ENDING } from './invariants/ending.ts';
import { FIGURES } from './invariants/figures.ts';
import type { Invariant } from './invariants/invariant.ts';
import { MANIFEST } from './invariants/manifest.ts';
import { OUTPUT } from './invariants/output.ts';
import { STREAM } from './invariants/stream.ts';

/** Every rule, in the order in which a report names them. */
export const INVARIANTS: readonly Invariant[] = [
  ...STREAM,
  ...ENDING,
  ...OUTPUT,
  ...FIGURES,
  ...CONNECTION,
  ...MANIFEST,
];
