import { expect, it } from 'vitest';
import { type ServerEvent, serverEvents } from './sse.ts';

const TEXT =
  ':hello\n\nevent: one\ndata: {"a":1}\n\ndata: first\r\ndata:second\r\n\r\ndata\n\nevent: none\n\ndata: é…\n\ndata: cut';

async function read(pieces: Uint8Array[]): Promise<ServerEvent[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  const events: ServerEvent[] = [];
  for await (const event of serverEvents(body)) events.push(event);
  return events;
}

it('reads events the same, wherever the bytes are cut', async () => {
  const bytes = new TextEncoder().encode(TEXT);
  const whole = await read([bytes]);
  expect(whole).toEqual([
    { event: 'one', data: '{"a":1}' },
    { event: 'message', data: 'first\nsecond' },
    { event: 'message', data: '' },
    { event: 'message', data: 'é…' },
  ]);
  for (let at = 1; at < bytes.length; at++) {
    expect(await read([bytes.slice(0, at), bytes.slice(at)])).toEqual(whole);
  }
});

it('lets go of the body when its reader stops', async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: controller => controller.enqueue(new TextEncoder().encode('data: x\n\n')),
    cancel: () => {
      cancelled = true;
    },
  });
  for await (const _ of serverEvents(body)) break;
  expect(cancelled).toBe(true);
});
