import { AirframeError } from '@x/airframe';
import type { StartOptions } from './protocol.ts';

/**
 * The adapter's options for another process.
 * @throws AirframeError invalid_request naming the option that is no plain data, such as an engine with methods
 */
export function startOptions(options: Record<string, unknown>): StartOptions {
  const values: Record<string, unknown> = {};
  const callbacks: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'function') callbacks.push(name);
    else if (isPlain(value)) values[name] = value;
    else throw unsendable(name);
  }
  return { values, callbacks };
}

/** True for data that arrives as what it was; an object with methods would arrive without them. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function';
  const prototype: unknown = Object.getPrototypeOf(value);
  const known = prototype === Object.prototype || prototype === Array.prototype || prototype === null;
  return known && Object.values(value).every(isPlain);
}

function unsendable(name: string): AirframeError {
  return new AirframeError(
    'invalid_request',
    `the adapter's option ${name} is an object of this process, and isolation 'process' runs the engine in another one`,
    { code: 'configuration', remedy: `leave out ${name}, or isolation` },
  );
}
