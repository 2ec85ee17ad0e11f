import type { InferenceStreamEvent } from '../../events.ts';
import { CONFORMANCE_KEY } from '../subject.ts';
import type { Invariant } from './invariant.ts';

/** Buffers of sockets on both sides, and some of ours. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

/** What goes over the wire, and what is let go behind it. */
export const CONNECTION: readonly Invariant[] = [
  {
    id: 'backend-is-stopped',
    check: ({ stillAnswering }) =>
      stillAnswering > 0 ? 'the connection stays open: the backend would go on' : undefined,
  },
  {
    id: 'slow-caller-slows-backend',
    check: ({ bytesWhileStalled }) =>
      bytesWhileStalled > MAX_UNREAD_BYTES
        ? `the backend could send ${bytesWhileStalled} bytes to a caller who reads none`
        : undefined,
  },
  {
    id: 'signal-is-let-go',
    check: ({ listeners }) =>
      listeners > 0 ? `${listeners} listeners stay on the caller's signal` : undefined,
  },
  {
    id: 'redirects-not-followed',
    check: ({ requests }) =>
      requests?.includes('/elsewhere') ? 'followed a redirect, with the key' : undefined,
  },
  {
    id: 'headers-are-sent',
    check: ({ headers = [], case: { caller } }) => {
      const missing = Object.entries(caller?.headers ?? {}).find(([name, value]) =>
        headers.some(sent => sent[name] !== value),
      );
      return missing && `a request went without the call's header ${missing[0]}, or with another value`;
    },
  },
  {
    id: 'no-secret',
    check: ({ events }) => {
      const leak = events.find(event => revealed(event).includes(CONFORMANCE_KEY));
      return leak && `the key stands in an event of type ${leak.type}`;
    },
  },
];

/** An event as a log would show it, errors with all they hold. */
function revealed(event: InferenceStreamEvent): string {
  if (event.type !== 'error') return JSON.stringify(event);
  const chain: unknown[] = [];
  for (let error: unknown = event.error; error instanceof Error && chain.length < 10; error = error.cause) {
    chain.push(error.message, error.stack, { ...error });
  }
  return JSON.stringify(chain);
}
