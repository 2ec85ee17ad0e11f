import { afterEach, describe, expect, it } from 'vitest';
import {
  json,
  type Script,
  type ScriptedServer,
  scriptedServer,
  sse,
} from '../../../../test/scripted-server.ts';
import { anthropicMessagesAdapter } from '../adapters/anthropic-messages/index.ts';
import { openAIChatAdapter } from '../adapters/openai-chat/index.ts';
import type { EndpointSpec } from '../endpoint.ts';
import type { InferenceStreamEvent } from '../events.ts';
import type { InferenceRequest } from '../request.ts';
import { createHttp, type HttpFn } from '../transport/http.ts';
import { withRetry } from '../wrap/retry.ts';
import { recordHttp } from './record-http.ts';
import type { Recording } from './recording.ts';
import { type ReplayOptions, replayHttp } from './replay-http.ts';

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const chunk = (delta: object, finish: string | null = null) => ({
  id: 'c1',
  model: 'm-1',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const hello = [
  chunk({ content: 'Hell\u00f6' }),
  chunk({ content: ' \ud83d\udc4b' }),
  chunk({}, 'stop'),
  '[DONE]',
];
const ask = (content: string): InferenceRequest => ({ messages: [{ role: 'user', content }] });
const endpoint: EndpointSpec = {
  name: 'chat',
  backendKind: 'openai_chat',
  baseUrl: 'http://127.0.0.1:1/v1',
  apiKey: 'swordfish42',
};

/** All events, without what the clock and the port decide. */
async function events(stream: AsyncIterable<InferenceStreamEvent>): Promise<unknown[]> {
  const all = [];
  for await (const event of stream) {
    const plain = JSON.parse(
      JSON.stringify(event, (key, value) =>
        ['timings', 'startedAt', 'durationMs', 'waitedMs'].includes(key) ? undefined : value,
      ),
    );
    all.push(plain);
  }
  return all;
}

/** A conversation over a real socket, recorded, and the events it had. */
async function recorded(
  scripts: Script[],
  talk: (http: HttpFn, endpoint: EndpointSpec) => Promise<unknown[]>,
) {
  server = await scriptedServer(...scripts);
  const http = recordHttp(createHttp());
  const there = { ...endpoint, baseUrl: `${server.url}/v1` };
  const live = await talk(http, there);
  await http.close?.();
  await server.close();
  server = undefined;
  const recording = JSON.parse(JSON.stringify(http.recording())) as Recording;
  return { live, recording, again: (options?: ReplayOptions) => talk(replayHttp(recording, options), there) };
}

const chat = (http: HttpFn, at: EndpointSpec) =>
  events(openAIChatAdapter({ http }).streamInfer(at, ask('hi')));

describe('a replayed stream is the recorded one, event for event', () => {
  const splits: ReplayOptions[] = [
    {},
    { timeScale: 1 },
    { split: 'bytes' },
    ...[1, 2, 3].map(seed => ({ split: { seed } })),
  ];

  it.each(splits)('with %j', async options => {
    const { live, again } = await recorded([sse(hello)], chat);
    expect(live.at(-1)).toMatchObject({ type: 'done', finishReason: 'stop' });
    expect(await again(options)).toEqual(live);
  });

  const reset: Script = response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${JSON.stringify(hello[0])}\n\n`, () => {
      setTimeout(() => response.socket?.resetAndDestroy(), 20);
    });
  };
  it.each<[string, Script, object]>([
    ['a reset in mid-body', reset, { category: 'connection' }],
    [
      'a reset before the headers',
      response => void response.socket?.resetAndDestroy(),
      { category: 'connection' },
    ],
    ['an error answer', json(401, { error: { message: 'bad key' } }), { category: 'auth', status: 401 }],
    ['a stream cut short', sse(hello.slice(0, 2)), { code: 'truncated' }],
  ])('of %s', async (_name, script, error) => {
    const { live, again } = await recorded([script], chat);
    expect(live).toContainEqual({ type: 'error', error: expect.objectContaining(error) });
    expect(await again()).toEqual(live);
    expect(await again({ split: 'bytes' })).toEqual(live);
  });

  it('of a stalled stream, without the wait', async () => {
    const { live, again } = await recorded([sse(hello.slice(0, 1), { end: false })], (http, at) =>
      events(openAIChatAdapter({ http }).streamInfer({ ...at, timeouts: { idleMs: 50 } }, ask('hi'))),
    );
    expect(live.at(-1)).toMatchObject({ finishReason: 'stalled' });
    expect(await again()).toEqual(live);
  });

  it('of a call that had to be tried again', async () => {
    const { live, again } = await recorded(
      [json(429, { error: { message: 'slow' } }, { 'retry-after-ms': '1' }), sse(hello)],
      (http, at) => events(withRetry(openAIChatAdapter({ http })).streamInfer(at, ask('hi'))),
    );
    expect(live.at(-1)).toMatchObject({ attempts: [{ outcome: 'rate_limit' }, { outcome: 'ok' }] });
    expect(await again()).toEqual(live);
  });

  it('of another adapter, with another key than that it was recorded with', async () => {
    const script = sse(['{"type":"message_stop"}']);
    const { live, recording } = await recorded([script], (http, at) =>
      events(anthropicMessagesAdapter({ http }).streamInfer({ ...at, model: 'm' }, ask('hi'))),
    );
    const adapter = anthropicMessagesAdapter({ http: replayHttp(recording) });
    const elsewhere = { ...endpoint, model: 'm', apiKey: 'another key' };
    const replayed = await events(adapter.streamInfer(elsewhere, ask('hi')));
    expect(replayed.map(event => (event as { type: string }).type)).toEqual(
      live.map(event => (event as { type: string }).type),
    );
  });
});
