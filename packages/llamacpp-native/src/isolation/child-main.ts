// The program of the process that an engine runs in. It does what its parent says, and ends with it.
import { llamaCppDefinition } from '../adapter.ts';
import { Outbox } from './outbox.ts';
import type { Order, StartOptions } from './protocol.ts';
import { ServedCalls } from './served-calls.ts';

const outbox = new Outbox(reports => process.send?.(reports, undefined, {}, () => {}));
let calls: ServedCalls | undefined;

process.on('message', (order: Order) => {
  if (order.type === 'start') calls = start(order);
  else if (order.type === 'close') void calls?.close().finally(() => process.exit());
  else calls?.receive(order);
});

// Nobody is there to answer any more. An orderly exit would wait for the evaluation under way.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

// A terminal's Ctrl-C and a supervisor's stop reach the whole group; it is the parent's to decide what follows.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

function start({ values, callbacks }: StartOptions): ServedCalls {
  const forwarded = callbacks.map(name => [
    name,
    (...args: unknown[]) => outbox.add({ type: 'callback', name, args }),
  ]);
  return new ServedCalls(llamaCppDefinition({ ...values, ...Object.fromEntries(forwarded) }), outbox);
}
