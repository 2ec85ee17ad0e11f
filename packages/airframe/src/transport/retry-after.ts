/**
 * How long a backend asks to wait, from its response headers: `retry-after-ms`, else `retry-after` as seconds
 * or as an HTTP date (RFC 9110 §10.2.3).
 *
 * @param headers lower-case names
 * @param now milliseconds since the epoch, for the date form
 * @returns milliseconds, at least 0; undefined when there is no header that can be understood
 */
export function parseRetryAfter(
  headers: Record<string, string>,
  now: number = Date.now(),
): number | undefined {
  const milliseconds = number(headers['retry-after-ms']);
  if (milliseconds !== undefined) return milliseconds;
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  const seconds = number(value);
  if (seconds !== undefined) return seconds * 1000;
  // Date.parse takes nearly anything for a date; an HTTP date names its month.
  const date = /[A-Za-z]{3}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}
