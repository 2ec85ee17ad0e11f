import { Reply } from '../../../assemble/reply.ts';
import { collect, type InferenceResult } from '../../../collect.ts';
import { createReader } from '../stream.ts';

/** A chunk with one choice. */
export function chunk(delta: unknown, finish: string | null = null): object {
  return { id: 'c1', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] };
}

export const stop: object = chunk({}, 'stop');

/** What the reader makes of these chunks, without a socket. */
export function events(...chunks: object[]): Promise<InferenceResult> {
  const reply = new Reply('chat');
  const reader = createReader(reply);
  for (const one of chunks) reader.event(JSON.stringify(one), undefined);
  reply.end();
  const stream = (async function* () {
    for (let event = reply.events.take(); event; event = reply.events.take()) yield event;
  })();
  return collect(stream, { throwOnError: false });
}
