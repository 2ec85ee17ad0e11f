import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { sse } from '../../../../test/scripted-server.ts';
import { gatewayOver, helloReply, type Pair } from '../kinds.ts';
import { KEY } from '../running-gateway.ts';

const clientOf = ({ gateway }: Pair) =>
  new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
const ask = { model: 'fast', prompt: 'Once upon' };

const piece = (text: string, finish_reason: string | null = null) => ({
  id: 'cmpl-up',
  object: 'text_completion',
  model: 'up-model',
  choices: [{ index: 0, text, finish_reason }],
});
const completion = sse([
  piece(' a'),
  piece(' time', 'length'),
  { ...piece(''), choices: [], usage: { prompt_tokens: 12, completion_tokens: 2, total_tokens: 14 } },
  '[DONE]',
]);

describe('openai-node, by completions', () => {
  it('gets a raw prompt to an upstream that takes one, whole and streamed', async () => {
    const pair = await gatewayOver('openai-chat', completion, completion);
    const client = clientOf(pair);
    const whole = await client.completions.create({ ...ask, max_tokens: 5, echo: true });
    expect(whole.choices).toMatchObject([{ text: 'Once upon a time', finish_reason: 'length' }]);
    expect(whole.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 2 });
    expect(pair.upstream.seen[0]).toMatchObject({
      path: '/v1/completions',
      body: { prompt: 'Once upon', max_tokens: 5 },
    });
    let text = '';
    for await (const chunk of await client.completions.create({ ...ask, stream: true })) {
      text += chunk.choices[0]?.text ?? '';
    }
    expect(text).toBe(' a time');
  });

  it('is understood by an upstream that knows messages alone', async () => {
    const pair = await gatewayOver('anthropic-messages', helloReply);
    const { choices } = await clientOf(pair).completions.create(ask);
    expect(choices[0]?.text).toBe('Hello world');
    expect(pair.upstream.seen[0]?.body).toMatchObject({
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Once upon' }] }],
    });
  });
});
