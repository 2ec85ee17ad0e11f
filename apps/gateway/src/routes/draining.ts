import { AirframeError } from '@x/airframe';
import { GATEWAY_CODES } from '../protocols/status.ts';

/** The error of a request that comes while the gateway goes down. */
export function draining(): AirframeError {
  return new AirframeError('overloaded', 'the gateway is going down', {
    code: GATEWAY_CODES.draining,
    retryAfterMs: 1_000,
    remedy: 'send the call again: another replica, or the next one, takes it',
  });
}
