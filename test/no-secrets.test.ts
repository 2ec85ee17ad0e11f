import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { AirframeError } from '../packages/airframe/src/errors.ts';
import { leaks } from './no-secrets.ts';

const KEY = 'sk-planted-0123456789abcdef';

it('finds a key in the message, the raw answer and the cause of an error', () => {
  for (const error of [
    new AirframeError('auth', `${KEY} was refused`),
    new AirframeError('auth', 'refused', { raw: `{"key":"${KEY}"}` }),
    new AirframeError('auth', 'refused', { cause: new Error(KEY) }),
  ]) {
    expect(leaks([[inspect(error), 'error']], [KEY])).toHaveLength(1);
  }
});

it('does not tell the key that it found', () => {
  expect(leaks([[`log of ${KEY}`, 'log']], [KEY]).join()).not.toContain(KEY);
});
