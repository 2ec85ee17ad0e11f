import OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Script, scriptedServer } from '../../../../test/scripted-server.ts';
import { KEY, runGateway } from '../running-gateway.ts';
import { hello, says, weatherCall } from '../upstreams.ts';

async function gatewayOver(...scripts: Script[]) {
  const upstream = await scriptedServer(...scripts);
  onTestFinished(() => upstream.close());
  const gateway = await runGateway({
    providers: { up: { type: 'openai', baseUrl: `${upstream.url}/v1`, maxRetries: 0 } },
    models: { fast: { targets: [{ provider: 'up', model: 'up-model' }] } },
    prices: { openai: { 'up-model': { prompt: 1, completion: 2 } } },
  });
  const client = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  return { upstream, gateway, client };
}

const question = { model: 'fast', messages: [{ role: 'user' as const, content: 'Hi' }] };

describe('openai-node', () => {
  it('gets a chat answer, with usage and cost', async () => {
    const { client, upstream } = await gatewayOver(hello);
    const { data, response } = await client.chat.completions.create(question).withResponse();
    expect(data.choices[0]).toMatchObject({ message: { content: 'Hello world' }, finish_reason: 'stop' });
    expect(data.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 2, cost: 0.016 });
    expect(response.headers.get('x-gateway-provider')).toBe('up');
    expect(response.headers.get('x-gateway-cost-usd')).toBe('0.016');
    expect(upstream.seen[0]?.headers.authorization).toBeUndefined();
  });

  it('streams, by the helper too', async () => {
    const { client } = await gatewayOver(hello);
    const stream = client.chat.completions.stream({ ...question, stream_options: { include_usage: true } });
    const deltas: string[] = [];
    stream.on('content', delta => deltas.push(delta));
    const final = await stream.finalChatCompletion();
    expect(deltas.join('')).toBe('Hello world');
    expect(final.choices[0]?.finish_reason).toBe('stop');
    expect(await stream.totalUsage()).toMatchObject({ prompt_tokens: 12, completion_tokens: 2 });
  });

  it('gets tool calls, whole and streamed', async () => {
    const { client } = await gatewayOver(weatherCall, weatherCall);
    const tools = [
      { type: 'function' as const, function: { name: 'get_weather', parameters: { type: 'object' } } },
    ];
    const whole = await client.chat.completions.create({ ...question, tools });
    const call = {
      id: 'call_1',
      type: 'function',
      function: { name: 'get_weather', arguments: '{"city":"Oslo"}' },
    };
    expect(whole.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [call] } });
    const final = await client.chat.completions.stream({ ...question, tools }).finalChatCompletion();
    expect(final.choices[0]?.message.tool_calls).toMatchObject([call]);
  });

  it('gets structured output', async () => {
    const { client, upstream } = await gatewayOver(says('{"sum":3}'));
    const answer = await client.chat.completions.create({
      ...question,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'sum', schema: { type: 'object', properties: { sum: { type: 'number' } } } },
      },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ sum: 3 });
    expect(upstream.seen[0]?.body).toMatchObject({ response_format: { json_schema: { name: 'sum' } } });
  });
});
