import type { Expectation } from '../conformance-case.ts';

/** The whole reply, and a good end. */
export const GOOD: Expectation = { finishReason: ['stop'] };
/** The answer ends before its ending, and the reader cannot know why. */
export const CUT: Expectation = {
  finishReason: ['truncated'],
  error: ['connection', 'parse'],
  text: 'prefix',
};
/** The answer breaks off, and the connection may tell. */
export const BROKEN: Expectation = { ...CUT, finishReason: ['truncated', 'error'] };
