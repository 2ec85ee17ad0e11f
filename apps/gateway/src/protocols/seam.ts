import { AirframeError } from '@x/airframe';
import type { Seam } from '@x/avionics';

/** What a client has been sent of an answer. */
export interface Sent {
  text: boolean;
  calls: Iterable<{ isFinished: boolean }>;
}

/**
 * The error that ends an answer at a seam, in a protocol that cannot take back what was sent: text or tool calls in front
 * of a `restart`, and half a tool call in front of any seam.
 */
export function brokenBy({ policy, message }: Seam, sent: Sent): AirframeError | undefined {
  const calls = [...sent.calls];
  const isHalf = calls.some(({ isFinished }) => !isFinished);
  const isAnew = policy === 'restart' && (sent.text || calls.length > 0);
  if (!isHalf && !isAnew) return undefined;
  const problem = `the answer broke off, and what was sent of it cannot be taken back: ${message}`;
  return new AirframeError('backend', problem, { code: 'broken_off', remedy: 'send the request again' });
}
