import { AirframeError } from '@x/airframe';
import { expect, it } from 'vitest';
import { GATEWAY_CODES } from '../status.ts';
import { wireErrorOf } from './errors.ts';

it.each([
  [new AirframeError('rate_limit', 'slow down'), 'rate_limit_error'],
  [new AirframeError('quota', 'spent', { code: 'limit_reached' }), 'rate_limit_error'],
  [new AirframeError('quota', 'nothing left on the account'), 'billing_error'],
  [new AirframeError('auth', 'a provider refused the key'), 'api_error'],
  [new AirframeError('auth', 'no key', { code: GATEWAY_CODES.key }), 'authentication_error'],
  [new AirframeError('auth', 'not yours', { code: GATEWAY_CODES.forbidden }), 'permission_error'],
  [new AirframeError('invalid_request', 'large', { code: GATEWAY_CODES.tooLarge }), 'request_too_large'],
  [new AirframeError('invalid_request', 'set up', { code: 'configuration' }), 'api_error'],
])('%s is told as %s', (error, type) => {
  expect(wireErrorOf(error, 'r1')).toEqual({
    type: 'error',
    error: { type, message: error.message },
    request_id: 'r1',
  });
});

it('says that a prompt is too long in the words that clients look for', () => {
  const counted = { promptTokens: 9_000, contextTokens: 8_192 };
  const messages = [
    new AirframeError('context_length', 'n_ctx exceeded', counted),
    new AirframeError('context_length', 'n_ctx exceeded'),
  ].map(error => wireErrorOf(error, 'r1').error.message);
  expect(messages).toEqual([
    'prompt is too long: 9000 tokens > 8192 maximum (n_ctx exceeded)',
    'prompt is too long (n_ctx exceeded)',
  ]);
});
