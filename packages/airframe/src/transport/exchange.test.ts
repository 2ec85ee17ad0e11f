import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { openAIChatAdapter } from '../adapters/openai-chat/index.ts';
import { collect } from '../collect.ts';
import type { HttpFn } from './http.ts';

it('does not wait for a body that stays open after the last event, were it a generator', async () => {
  const last = { choices: [{ index: 0, delta: { content: 'Hello' }, finish_reason: 'stop' }] };
  async function* body() {
    yield Buffer.from(`data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`);
    await new Promise(() => {});
  }
  const http: HttpFn = async () => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: body(),
  });
  const endpoint = { name: 'chat', backendKind: 'openai_chat', baseUrl: 'http://127.0.0.1:1' };
  const stream = openAIChatAdapter({ http }).streamInfer(endpoint, { prompt: 'hi' });
  expect(await collect(stream)).toMatchObject({ text: 'Hello', finishReason: 'stop' });
});

it('reads a body that is a Node stream, or has a method of any name', async () => {
  const events = [
    { choices: [{ index: 0, delta: { content: 'Hel' } }] },
    { choices: [{ index: 0, delta: { content: 'lo' }, finish_reason: 'stop' }] },
  ];
  const text = [...events.map(event => JSON.stringify(event)), '[DONE]'].map(data => `data: ${data}\n\n`);
  for (const body of [Readable.from(text.map(part => Buffer.from(part))), new Response(text.join('')).body]) {
    const http: HttpFn = async () => ({
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: body as AsyncIterable<Uint8Array>,
    });
    const stream = openAIChatAdapter({ http }).streamInfer(
      { name: 'chat', backendKind: 'openai_chat', baseUrl: 'http://127.0.0.1:1' },
      { prompt: 'hi' },
    );
    expect(await collect(stream)).toMatchObject({ text: 'Hello', finishReason: 'stop' });
  }
});

it('gives a signal to an HttpFn of somebody else, in a copy of the request as well', async () => {
  const seen: unknown[] = [];
  const http: HttpFn = async request => {
    const { signal, onConnected } = { ...request };
    seen.push(signal, onConnected);
    onConnected?.();
    throw signal.reason ?? new Error('no line');
  };
  const stream = openAIChatAdapter({ http }).streamInfer(
    { name: 'chat', backendKind: 'openai_chat', baseUrl: 'http://127.0.0.1:1' },
    { prompt: 'hi' },
  );
  for await (const _ of stream);
  expect(seen).toEqual([expect.any(AbortSignal), expect.any(Function)]);
});
