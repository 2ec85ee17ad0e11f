// Real clients on a real llama-server, whose model knows little more than small sums.
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { ChatOpenAI } from '@langchain/openai';
import { generateObject, generateText } from 'ai';
import OpenAI from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type RealLlamaServer, startLlamaServer } from '../../../../test/real-llama-server.ts';
import { KEY, runGateway } from '../running-gateway.ts';

let server: RealLlamaServer;
beforeAll(async () => {
  server = await startLlamaServer();
});
afterAll(() => server?.stop());

const SUM = 'What is 2+2?';
const messages = [{ role: 'user' as const, content: SUM }];
const asked = { model: 'pilot', messages, temperature: 0 };
async function clients() {
  const { url } = await runGateway({
    providers: { local: { type: 'llamaserver', nodes: [{ name: 'node-1', baseUrl: server.url }] } },
    models: { pilot: { targets: [{ provider: 'local' }], defaults: { temperature: 0 } } },
  });
  const options = { apiKey: KEY, baseURL: `${url}/v1` };
  return {
    openai: new OpenAI({ ...options, maxRetries: 0 }),
    anthropic: new Anthropic({ apiKey: KEY, baseURL: url, maxRetries: 0 }),
    ai: createOpenAI(options),
    langchain: new ChatOpenAI({ apiKey: KEY, configuration: options, model: 'pilot', temperature: 0 }),
  };
}

describe('a sum', () => {
  it('comes to the same in each protocol, by each client', async () => {
    const { openai, anthropic, ai, langchain } = await clients();
    const { data, response } = await openai.chat.completions.create(asked).withResponse();
    const answer = data.choices[0]?.message.content ?? '';
    expect(answer).toContain('4');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-gateway-provider': 'local',
      'x-gateway-node': 'node-1',
      'x-gateway-cost-usd': '0',
    });
    const [streamed, given, message, generated, invoked] = [
      await openai.chat.completions.stream(asked).finalContent(),
      await openai.responses.stream({ model: 'pilot', input: SUM, temperature: 0 }).finalResponse(),
      await anthropic.messages.stream({ model: 'pilot', max_tokens: 100, messages }).finalMessage(),
      await generateText({ model: ai('pilot'), prompt: SUM, temperature: 0 }),
      await langchain.invoke(SUM),
    ];
    const texts = [streamed, given.output_text, message.content[0], generated.text, invoked.text];
    expect(texts).toEqual([answer, answer, { type: 'text', text: answer }, answer, answer]);
    const tokens = data.usage?.completion_tokens ?? 0;
    expect(tokens).toBeGreaterThan(0);
    expect(given.usage?.output_tokens).toBe(tokens);
    expect(message.usage.output_tokens).toBe(tokens);
    expect(generated.usage.outputTokens).toBe(tokens);
    expect(invoked.usage_metadata).toMatchObject({ output_tokens: tokens });
  });

  it('is gone on with, as raw text', async () => {
    const { openai } = await clients();
    const prompt = { model: 'pilot', prompt: 'Two and two is', max_tokens: 8, temperature: 0 };
    const whole = await openai.completions.create(prompt);
    let text = '';
    for await (const chunk of await openai.completions.create({ ...prompt, stream: true })) {
      text += chunk.choices[0]?.text ?? '';
    }
    expect(text).toBe(whole.choices[0]?.text);
    expect(whole.usage?.completion_tokens).toBeGreaterThan(0);
  });

  it('is bound by a grammar of llama.cpp, which passes through', async () => {
    const { openai } = await clients();
    const grammar = { grammar: 'root ::= "yes" | "no"' };
    const { choices } = await openai.chat.completions.create({ ...asked, ...grammar });
    expect(choices[0]?.message.content).toMatch(/^(yes|no)$/);
  });
});

it('an object keeps to its schema, by each client', async () => {
  const { openai, anthropic, ai, langchain } = await clients();
  const schema = z.object({ ok: z.boolean() });
  const ok = { ok: expect.any(Boolean) };
  const chat = { ...asked, response_format: zodResponseFormat(schema, 'answer') };
  const { choices } = await openai.chat.completions.parse(chat);
  expect(choices[0]?.message.parsed).toEqual(ok);
  const text = { format: zodTextFormat(schema, 'answer') };
  expect((await openai.responses.parse({ model: 'pilot', input: SUM, text })).output_parsed).toEqual(ok);
  expect((await generateObject({ model: ai.chat('pilot'), prompt: SUM, schema })).object).toEqual(ok);
  const structured = langchain.withStructuredOutput(schema, { method: 'jsonSchema' });
  expect(await structured.invoke(SUM)).toEqual(ok);
  const { content } = await anthropic.messages.create({
    ...{ model: 'pilot', max_tokens: 100, messages },
    output_config: { format: { type: 'json_schema', schema: z.toJSONSchema(schema) } },
  });
  expect(content[0]?.type === 'text' && JSON.parse(content[0].text)).toEqual(ok);
});
