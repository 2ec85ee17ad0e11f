import {
  type Adapter,
  collect,
  type InferenceRequest,
  type InferenceResult,
  type InferenceStreamEvent,
  type Message,
  type ToolCall,
  type ToolSpec,
} from '@x/airframe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type LlamaCppExtra, llamaCppAdapter } from '../../src/index.ts';
import { demoEndpoint } from '../demo-model.ts';
import { ENGINES } from '../engines.ts';
import { modelWithTemplate, type TemplateModel } from '../template-model.ts';

type Request = InferenceRequest<LlamaCppExtra>;

const endpoint = demoEndpoint({ contextTokens: 1024, threads: 1 });
const climb: ToolSpec = {
  name: 'climb',
  description: 'Climbs to a height.',
  parameters: {
    type: 'object',
    properties: { feet: { enum: [100, 200, 300] }, fast: { type: 'boolean' } },
    required: ['feet', 'fast'],
    additionalProperties: false,
  },
};
const land: ToolSpec = {
  name: 'land',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
};
const question: Message = { role: 'user', content: 'What is airframe?' };
const tools = [climb, land];
/** Greedy. Over node-llama-cpp the demo model puts in blanks wherever JSON may have them. */
const asking = { messages: [question], tools, temperature: 0, maxTokens: 300 };
const only = (name: string) => ({ toolChoice: { name }, parallelToolCalls: false });
/** Nearly every token that may come is likely. */
const dice = { topP: 1, extra: { top_k: 0, min_p: 0 } };
const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed);

/** Every call is one of a tool that was offered, with arguments of its schema. */
function expectValid({ message, finishReason, text }: InferenceResult): void {
  expect({ finishReason, text }).toEqual({ finishReason: 'tool_calls', text: '' });
  for (const { name, input } of message?.toolCalls ?? []) {
    const tool = tools.find(one => one.name === name);
    expect(z.fromJSONSchema(tool?.parameters ?? false).safeParse(input).error).toBeUndefined();
  }
}

const callsOf = ({ message }: InferenceResult): ToolCall[] => message?.toolCalls ?? [];
const namesOf = (result: InferenceResult): string[] => callsOf(result).map(({ name }) => name);

let adapter: Required<Adapter<LlamaCppExtra>>;

function run(request: Request, at = endpoint): Promise<InferenceResult> {
  return collect(adapter.streamInfer(at, request));
}

describe.each(ENGINES)('the engine %s, with a template that has no format for tools', engine => {
  beforeAll(() => {
    adapter = llamaCppAdapter({ engine }) as typeof adapter;
  });
  afterAll(() => adapter.close());

  it('calls one when it has to, streamed and whole, in a process of its own, too', async () => {
    expect(adapter.capabilities.tools).toBe(true);
    const inputs: unknown[] = [];
    for (const isolation of ['none', 'process']) {
      for (const stream of [true, false]) {
        const at = { ...endpoint, options: { ...endpoint.options, isolation } };
        const result = await run({ ...asking, tools: [climb], toolChoice: 'required', stream }, at);
        expectValid(result);
        inputs.push(callsOf(result).map(({ input }) => input));
      }
    }
    for (const input of inputs) expect(input).toEqual(inputs[0]);
  });

  it('tells the arguments as they come', async () => {
    const events: InferenceStreamEvent[] = [];
    const stream = adapter.streamInfer(endpoint, { ...asking, ...only('climb') });
    for await (const event of stream) events.push(event);
    const deltas = events.filter(event => event.type === 'tool_call_delta');
    const calls = events.filter(event => event.type === 'tool_call');
    expect(calls.map(({ call }) => call.name)).toEqual(['climb']);
    expect(deltas.length).toBeGreaterThan(5);
    expect(deltas.map(({ argumentsDelta }) => argumentsDelta).join('')).toBe(calls[0]?.call.arguments);
    expect(events.slice(-3).map(({ type }) => type)).toEqual(['tool_call', 'message', 'done']);
  });

  it('calls the one that was named', async () => {
    const result = await run({ ...asking, ...only('land') });
    expectValid(result);
    expect(namesOf(result)).toEqual(['land']);
  });

  it('calls several at once, each of them valid', async () => {
    const request: Request = { ...asking, ...dice, temperature: 50, toolChoice: 'required' };
    const results = await Promise.all(seeds(12).map(seed => run({ ...request, seed })));
    const whole = results.filter(({ finishReason }) => finishReason !== 'length');
    for (const result of whole) expectValid(result);
    expect(Math.max(...whole.map(result => callsOf(result).length))).toBeGreaterThan(1);
    expect(new Set(whole.flatMap(namesOf))).toEqual(new Set(['climb', 'land']));
  });

  it('calls one or says something, as it likes, and stop sequences end only what it says', async () => {
    const request: Request = { ...asking, ...dice, temperature: 4, parallelToolCalls: false };
    const stop = ['e', 'a', 'o'];
    const results = await Promise.all(seeds(24).map(seed => run({ ...request, seed, stop })));
    const called = results.filter(result => callsOf(result).length > 0);
    const said = results.filter(({ text }) => text !== '');
    expect(called.length).toBeGreaterThan(0);
    expect(said.length).toBeGreaterThan(0);
    for (const result of called) expectValid(result);
    for (const { text, finishReason } of said) {
      expect(finishReason).toBe('stop');
      expect(text).not.toMatch(/[eao]/);
    }
  });

  it('answers as without tools when the choice is none', async () => {
    const plain = { messages: [question], temperature: 0, maxTokens: 12 };
    const { text, usage } = await run(plain);
    const none = await run({ ...plain, tools, toolChoice: 'none' });
    expect(none.text).toBe(text);
    expect(none.usage.promptTokens).toBe(usage.promptTokens);
  });

  it('ends a call that is cut with length, and loses nothing of it', async () => {
    const request = { ...asking, ...only('climb') };
    const { usage, ...whole } = await run(request);
    for (const part of [0.5, 0.7, 0.9]) {
      const cut = await run({ ...request, maxTokens: Math.floor(usage.completionTokens * part) });
      expect(cut.finishReason).toBe('length');
      for (const { name, arguments: given, parseError } of callsOf(cut)) {
        expect(name).toBe('climb');
        if (parseError !== undefined)
          expect(callsOf(whole as InferenceResult)[0]?.arguments.startsWith(given)).toBe(true);
      }
    }
  });

  it('goes on from the result of a call', async () => {
    const first = await run({ ...asking, ...only('climb') });
    const [call] = callsOf(first);
    const messages: Message[] = [
      question,
      first.message as Message,
      { role: 'tool', toolCallId: call?.id ?? '', content: '{"height": 100}' },
    ];
    expect(namesOf(await run({ ...asking, ...only('land'), messages }))).toEqual(['land']);
    const free = await run({ messages, temperature: 0, maxTokens: 8 });
    expect(free).toMatchObject({ finishReason: 'length', text: expect.stringMatching(/./) });
  });

  it('counts the tokens of such requests as it charges them', async () => {
    const messages: Message[] = [
      { role: 'system', content: 'Fly.' },
      question,
      { role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'land', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'a', content: 'down' },
    ];
    const counts = new Set<number>();
    for (const request of [asking, { ...asking, messages }, { ...asking, ...only('land') }, { messages }]) {
      const { tokens, exact } = await adapter.countTokens(endpoint, request);
      const { usage } = await run({ ...request, temperature: 0, maxTokens: 1 });
      expect({ tokens, exact }).toEqual({ tokens: usage.promptTokens, exact: true });
      counts.add(tokens);
    }
    expect(counts.size).toBe(4);
  });

  it('refuses tools together with another form of the answer', async () => {
    const stream = adapter.streamInfer(endpoint, { ...asking, responseFormat: { type: 'json' } });
    const { error } = await collect(stream, { throwOnError: false });
    expect(error).toMatchObject({ category: 'invalid_request', code: 'unsupported' });
  });
});

describe('the engine core', () => {
  const models: TemplateModel[] = [];
  const withTemplate = (template: string) => {
    const model = modelWithTemplate(template);
    models.push(model);
    return demoEndpoint({ contextTokens: 1024, threads: 1 }, model.path);
  };
  beforeAll(() => {
    adapter = llamaCppAdapter({ engine: 'core' }) as typeof adapter;
  });
  afterAll(async () => {
    await adapter.close();
    for (const model of models) model.remove();
  });

  it('loads a model once to look whether its template has a format, and to answer', async () => {
    const begun: string[] = [];
    const own = llamaCppAdapter({
      engine: 'core',
      maxLoaded: 1,
      onLoadProgress: (fraction, path) => {
        if (fraction === 0) begun.push(path);
      },
    });
    const elsewhere = demoEndpoint({ contextTokens: 900, threads: 1 });
    const request: Request = { ...asking, ...only('land') };
    const other = own.streamInfer(demoEndpoint({ contextTokens: 800 }), { prompt: 'x', maxTokens: 1 });
    const results = await Promise.all([collect(own.streamInfer(elsewhere, request)), collect(other)]);
    await own.close();
    expectValid(results[0]);
    expect(begun).toHaveLength(2);
  });

  it('lets a model think before it calls', async () => {
    const thinking = withTemplate(`{% for message in messages %}<|im_start|>{{ message.role }}
{% if message.reasoning_content %}<think>
{{ message.reasoning_content }}
</think>

{% endif %}{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
<think>
{% if enable_thinking is false %}
</think>

{% endif %}{% endif %}`);
    const result = await run({ ...asking, ...only('climb'), reasoning: { maxTokens: 5 } }, thinking);
    expectValid(result);
    expect(result.message?.reasoning?.[0]?.text).toMatch(/\w/);
  });

  it('leaves tools to llama.cpp where the template has a format for them', async () => {
    const knowing = withTemplate(`{% if tools %}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}
{% if message.content %}{{ message.content }}{% endif %}{% for call in message.tool_calls or [] %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`);
    const { tokens } = await adapter.countTokens(knowing, asking);
    const { usage } = await run({ ...asking, maxTokens: 1 }, knowing);
    expect(tokens).toBe(usage.promptTokens);
    expect(tokens).not.toBe((await adapter.countTokens(endpoint, asking)).tokens);
    // Words of llama.cpp's own.
    const extra = { grammar: 'root ::= "x"' };
    await expect(run({ ...asking, extra }, knowing)).rejects.toThrow('grammar constraints with tools');
  });
});
