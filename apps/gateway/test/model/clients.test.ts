// Real clients on a model in the gateway's own process.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DEMO_MODEL, until } from '../../../../test/real-llama-server.ts';
import { KEY, runGateway } from '../running-gateway.ts';

const messages = [{ role: 'user' as const, content: 'What is 2+2?' }];
const parameters = {
  type: 'object' as const,
  properties: { city: { type: 'string', enum: ['Oslo', 'Rome'] } },
  required: ['city'],
  additionalProperties: false,
};
const city = expect.stringMatching(/^(Oslo|Rome)$/);

async function clients() {
  const gateway = await runGateway({
    providers: { here: { type: 'llamacpp', modelPath: DEMO_MODEL, contextTokens: 1_024, threads: 1 } },
    models: { pilot: { targets: [{ provider: 'here' }], defaults: { temperature: 0, maxTokens: 200 } } },
  });
  const { url } = gateway;
  return {
    gateway,
    openai: new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 }),
    anthropic: new Anthropic({ apiKey: KEY, baseURL: url, maxRetries: 0 }),
  };
}

describe('a model in this process', () => {
  it('answers the same in each protocol', async () => {
    const { openai, anthropic } = await clients();
    const answer = await openai.chat.completions.stream({ model: 'pilot', messages }).finalContent();
    expect(answer).toContain('4');
    const given = await openai.responses.create({ model: 'pilot', input: 'What is 2+2?' });
    expect(given.output_text).toBe(answer);
    const message = await anthropic.messages
      .stream({ model: 'pilot', max_tokens: 100, messages })
      .finalMessage();
    expect(message).toMatchObject({
      content: [{ type: 'text', text: answer }],
      stop_reason: 'end_turn',
      usage: { output_tokens: given.usage?.output_tokens },
    });
    const { input_tokens } = await anthropic.messages.countTokens({ model: 'pilot', messages });
    expect(input_tokens).toBe(given.usage?.input_tokens);
  });

  it('calls tools, keeps to schemas and embeds', async () => {
    const { openai, anthropic } = await clients();
    const tools = [{ type: 'function' as const, function: { name: 'get_weather', parameters } }];
    const asked = { model: 'pilot', messages };
    const called = await openai.chat.completions
      .stream({ ...asked, tools, tool_choice: 'required', parallel_tool_calls: false })
      .finalChatCompletion();
    const [call] = called.choices[0]?.message.tool_calls ?? [];
    expect(JSON.parse(call?.function.arguments ?? '')).toEqual({ city });

    const { content } = await anthropic.messages.create({
      ...asked,
      max_tokens: 200,
      tools: [{ name: 'get_weather', input_schema: parameters }],
      tool_choice: { type: 'tool', name: 'get_weather' },
    });
    expect(content[0]).toMatchObject({ type: 'tool_use', input: { city } });

    const response_format = zodResponseFormat(z.object({ ok: z.boolean() }), 'answer');
    const { choices } = await openai.chat.completions.parse({ ...asked, response_format });
    expect(choices[0]?.message.parsed).toEqual({ ok: expect.any(Boolean) });

    const { data } = await openai.embeddings.create({ model: 'pilot', input: ['a wing', 'a prayer'] });
    expect(data.map(({ embedding }) => embedding.length > 8)).toEqual([true, true]);
  });

  it('stops when the client leaves', async () => {
    const { openai, gateway } = await clients();
    const endless = { model: 'pilot', messages, max_tokens: 900, ignore_eos: true };
    for await (const _ of await openai.chat.completions.create({ ...endless, stream: true })) break;
    const told = () => gateway.log().find(({ status }) => status === 499);
    await until(() => told() !== undefined, 5_000);
    expect(told()?.['completionTokens']).toBeLessThan(900);
    const next = await openai.chat.completions.create({ model: 'pilot', messages });
    expect(next.choices[0]?.message.content).toContain('4');
  });
});
