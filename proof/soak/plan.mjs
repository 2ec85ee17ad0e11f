// What becomes of each call of the soak, and what it has to be billed: both sides of the wire know it from its number.

/**
 * `whole`; `retry`: the first try is refused with 503; `next`: the first provider fails with 500 and the second one
 * answers; `down`: both fail; `limited`: 429 from both; `cut`, `reset`, `error`, `garbage`: it fails after some pieces;
 * `stall`: it says no more after some pieces, until its deadline; `leave`: the client goes after some pieces; `before`:
 * the client goes before any output.
 */
const FATES = [
  'whole',
  'whole',
  'retry',
  'whole',
  'cut',
  'whole',
  'next',
  'leave',
  'whole',
  'reset',
  'whole',
  'down',
  'whole',
  'error',
  'before',
  'whole',
  'garbage',
  'whole',
  'limited',
  'leave',
];

/** Of which few are made: each waits for its deadline. */
const STALL_EACH = 97;

const BROKEN = new Set(['cut', 'reset', 'error', 'garbage', 'stall', 'leave']);
const SILENT = new Set(['down', 'limited', 'before']);

export const PRICE = { prompt: 1, completion: 2 };

/** @returns `{ id, fate, promptTokens, pieces, cut }` of the call of this number */
export function planOf(id) {
  const fate = id % STALL_EACH === STALL_EACH - 1 ? 'stall' : FATES[id % FATES.length];
  const pieces = 4 + ((id * 7) % 13);
  return { id, fate, promptTokens: 10 + ((id * 13) % 97), pieces, cut: 1 + (id % 3) };
}

/** What has to be billed for it, in tokens. */
export function billOf({ fate, promptTokens, pieces, cut }) {
  if (SILENT.has(fate)) return { prompt: 0, completion: 0 };
  return { prompt: promptTokens, completion: BROKEN.has(fate) ? cut : pieces };
}

/** How its caller has to see it end. */
export function endingOf({ fate }) {
  if (fate === 'leave' || fate === 'before') return 'left';
  return BROKEN.has(fate) || SILENT.has(fate) ? 'failed' : 'whole';
}
