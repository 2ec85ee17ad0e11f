// What one answer of an upstream comes to in each protocol, whole and streamed, by the official clients.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { gatewayOver, helloReply, KINDS, type Pair, type Reply } from '../kinds.ts';
import { KEY, runGateway } from '../running-gateway.ts';

interface Told {
  thinking: string;
  text: string;
  prompt: number;
  cached: number;
  completion: number;
  cost: unknown;
}

/** Usage with the price that the gateway adds to it. */
type Priced<Usage> = (Usage & { cost?: unknown }) | null | undefined;

const openaiOf = ({ gateway }: Pair) => new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1` });
const anthropicOf = ({ gateway }: Pair) => new Anthropic({ apiKey: KEY, baseURL: gateway.url });
const messages = [{ role: 'user' as const, content: 'Hi' }];

const chatTold = ({ choices, usage: counted }: OpenAI.ChatCompletion): Told => {
  const usage: Priced<OpenAI.CompletionUsage> = counted;
  const message = choices[0]?.message as { content: string; reasoning_content?: string } | undefined;
  return {
    thinking: message?.reasoning_content ?? '',
    text: message?.content ?? '',
    prompt: usage?.prompt_tokens ?? -1,
    cached: usage?.prompt_tokens_details?.cached_tokens ?? -1,
    completion: usage?.completion_tokens ?? -1,
    cost: usage?.cost,
  };
};

const responseTold = ({ output, output_text: text, usage: counted }: OpenAI.Responses.Response): Told => {
  const usage: Priced<OpenAI.Responses.ResponseUsage> = counted;
  const thinking = output.flatMap(item => (item.type === 'reasoning' ? (item.content ?? []) : []));
  return {
    thinking: thinking.map(part => part.text).join(''),
    text,
    prompt: usage?.input_tokens ?? -1,
    cached: usage?.input_tokens_details.cached_tokens ?? -1,
    completion: usage?.output_tokens ?? -1,
    cost: usage?.cost,
  };
};

const messageTold = ({ content, usage: counted }: Anthropic.Message): Told => {
  const usage: Priced<Anthropic.Usage> = counted;
  const cached = usage?.cache_read_input_tokens ?? -1;
  return {
    thinking: content.map(block => (block.type === 'thinking' ? block.thinking : '')).join(''),
    text: content.map(block => (block.type === 'text' ? block.text : '')).join(''),
    // Anthropic counts the three parts of a prompt apart.
    prompt: (usage?.input_tokens ?? -1) + cached + (usage?.cache_creation_input_tokens ?? -1),
    cached,
    completion: usage?.output_tokens ?? -1,
    cost: usage?.cost,
  };
};

const WAYS: Readonly<Record<string, (pair: Pair) => Promise<Told>>> = {
  'chat, whole': async pair =>
    chatTold(await openaiOf(pair).chat.completions.create({ model: 'fast', messages })),
  'chat, streamed': async pair => {
    const stream_options = { include_usage: true };
    const { chat } = openaiOf(pair);
    const stream = chat.completions.stream({ model: 'fast', messages, stream_options });
    // The helper does not know the field.
    let thinking = '';
    stream.on('chunk', ({ choices }) => {
      const delta = choices[0]?.delta as { reasoning_content?: string } | undefined;
      thinking += delta?.reasoning_content ?? '';
    });
    return { ...chatTold(await stream.finalChatCompletion()), thinking };
  },
  'responses, whole': async pair =>
    responseTold(await openaiOf(pair).responses.create({ model: 'fast', input: 'Hi' })),
  'responses, streamed': async pair =>
    responseTold(await openaiOf(pair).responses.stream({ model: 'fast', input: 'Hi' }).finalResponse()),
  'messages, whole': async pair =>
    messageTold(await anthropicOf(pair).messages.create({ model: 'fast', max_tokens: 9, messages })),
  'messages, streamed': async pair => {
    const stream = anthropicOf(pair).messages.stream({ model: 'fast', max_tokens: 9, messages });
    // The helper does not know the field.
    let cost: unknown;
    stream.on('streamEvent', event => {
      if (event.type === 'message_delta') cost = (event.usage as { cost?: unknown }).cost;
    });
    return { ...messageTold(await stream.finalMessage()), cost };
  },
};

describe.each(KINDS)('one answer of an upstream of %s', kind => {
  it('is the same in each protocol: thinking, text, tokens and cost', async () => {
    const usage = { prompt: 1_000, completion: 200, cached: 400 };
    const reply: Reply = { thinking: 'Two and two', text: ['4', '.'], usage };
    const pair = await gatewayOver(kind, reply);
    const told: Record<string, Told> = {};
    for (const [name, ask] of Object.entries(WAYS)) told[name] = await ask(pair);
    const same = {
      ...{ thinking: 'Two and two', text: '4.' },
      ...usage,
      cost: told['chat, whole']?.cost,
    };
    expect(same.cost).toBeGreaterThan(0);
    expect(told).toEqual(Object.fromEntries(Object.keys(WAYS).map(name => [name, same])));

    const metrics = await (await fetch(`${pair.gateway.url}/metrics`)).text();
    const [, spent] = /^gateway_cost_usd_total\{.*key="client".*\} (\S+)$/m.exec(metrics) ?? [];
    expect(Number(spent)).toBeCloseTo(Object.keys(WAYS).length * Number(same.cost), 9);
    expect(metrics).toMatch(/^gateway_tokens_total\{.*kind="prompt".*\} 6000$/m);
  });
});

it('an unknown price is null in each protocol, and `unknown` in the header', async () => {
  const { upstream } = await gatewayOver('openai-chat', helloReply);
  const gateway = await runGateway({
    providers: { up: { type: 'openai', baseUrl: `${upstream.url}/v1` } },
    models: { fast: { targets: [{ provider: 'up', model: 'up-model' }] } },
  });
  for (const ask of Object.values(WAYS)) expect((await ask({ gateway, upstream })).cost).toBeNull();
  const { response } = await openaiOf({ gateway, upstream })
    .chat.completions.create({ model: 'fast', messages })
    .withResponse();
  expect(response.headers.get('x-gateway-cost-usd')).toBe('unknown');
});
