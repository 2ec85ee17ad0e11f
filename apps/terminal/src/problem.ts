import { isAirframeError } from '@x/airframe';

/** Exit codes: 1 the call failed, 2 the user's input was wrong, 130 stopped by Ctrl-C. */
export const EXIT = { failed: 1, usage: 2, stopped: 130 } as const;

/** An error as a user reads it: one line, no stack trace. */
export function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const category = isAirframeError(error) ? ` (${error.category})` : '';
  return `error: ${message.replace(/\s*\n\s*/g, '; ').replace(/([:;]);/g, '$1')}${category}`;
}
