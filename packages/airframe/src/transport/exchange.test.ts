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
