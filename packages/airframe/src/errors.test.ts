import { expect, it } from 'vitest';
import { CollectError } from './collect.ts';
import { AirframeError, isAirframeError, MAX_RAW_CHARS } from './errors.ts';

it('is recognised by its marker, not by its class, so that two copies of the package get along', () => {
  const foreign = Object.defineProperty(new Error('x'), Symbol.for('@x/airframe.error'), { value: true });
  expect(isAirframeError(foreign)).toBe(true);
  expect(foreign).toBeInstanceOf(AirframeError);
  expect(foreign).not.toBeInstanceOf(CollectError);
  expect(isAirframeError(new Error('x'))).toBe(false);
  expect(isAirframeError(null)).toBe(false);
});

it('takes whether to retry from the category unless told', () => {
  expect(new AirframeError('overloaded', 'x').retryable).toBe(true);
  expect(new AirframeError('auth', 'x').retryable).toBe(false);
  expect(new AirframeError('timeout', 'x', { retryable: false }).retryable).toBe(false);
});

it('wraps whatever was thrown and keeps it as the cause', () => {
  const cause = new TypeError('boom');
  expect(AirframeError.from(cause)).toMatchObject({ category: 'unknown', message: 'boom', cause });
  expect(AirframeError.from('text')).toMatchObject({ category: 'unknown', message: 'text' });
  const own = new AirframeError('parse', 'x');
  expect(AirframeError.from(own)).toBe(own);
});

it('takes an abort for what it is', () => {
  expect(AirframeError.from(new DOMException('x', 'AbortError')).category).toBe('aborted');
});

it('keeps a bounded piece of what the backend sent', () => {
  expect(new AirframeError('parse', 'x', { raw: 'y'.repeat(9_999) }).raw).toHaveLength(MAX_RAW_CHARS);
});
