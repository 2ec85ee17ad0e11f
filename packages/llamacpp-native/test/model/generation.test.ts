import { type Adapter, collect, type InferenceResult, type Message } from '@x/airframe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LlamaCppExtra, llamaCppAdapter, nodeLlamaEngine } from '../../src/index.ts';
import { DEMO_MODEL, demoEndpoint } from '../demo-model.ts';
import { ENGINES } from '../engines.ts';

const endpoint = demoEndpoint({ contextTokens: 512 });
const question: Message[] = [{ role: 'user', content: 'What is airframe?' }];
const greedy = { temperature: 0, maxTokens: 24 };

describe.each(ENGINES)('the engine %s', engine => {
  let adapter: Adapter<LlamaCppExtra>;
  beforeAll(() => {
    adapter = llamaCppAdapter({ engine });
  });
  afterAll(() => adapter.close());

  const run = (...[request]: [Parameters<typeof adapter.streamInfer>[1]]): Promise<InferenceResult> =>
    collect(adapter.streamInfer(endpoint, request));

  describe('a real model in this process', () => {
    it('streams an answer and ends with the figures', async () => {
      const stream = adapter.streamInfer(endpoint, { messages: question, ...greedy });
      const types: string[] = [];
      for await (const event of stream) {
        types.push(event.type);
        if (event.type !== 'done') continue;
        expect(event.usage).toMatchObject({ source: 'reported', promptTokens: expect.any(Number) });
        expect(event.usage.completionTokens).toBeGreaterThan(0);
        expect(event.timings.promptMs).toBeGreaterThan(0);
        expect(event.model).toBeTruthy();
      }
      expect(types.filter(type => type === 'token').length).toBeGreaterThan(1);
      expect(types.slice(-2)).toEqual(['message', 'done']);
    });

    it('gives the same answer in one piece', async () => {
      const streamed = await run({ messages: question, ...greedy });
      const whole = await run({ messages: question, ...greedy, stream: false });
      expect(whole.text).toBe(streamed.text);
      expect(whole.usage.completionTokens).toBe(streamed.usage.completionTokens);
    });

    it('answers a chat as it continues the prompt of the model’s own template', async () => {
      const model = await nodeLlamaEngine().load({ path: DEMO_MODEL, contextTokens: 512 });
      const prompt = model.chatPrompt([{ role: 'user', content: 'What is airframe?' }]);
      await model.dispose();
      expect(prompt).not.toBe(question[0]?.content);
      const chat = await run({ messages: question, ...greedy });
      const raw = await run({ prompt, ...greedy });
      expect(raw.text).toBe(chat.text);
      expect(raw.usage.promptTokens).toBe(chat.usage.promptTokens);
    });

    it('evaluates only what is new in a follow-up turn', async () => {
      const first = await run({ messages: question, ...greedy });
      const history: Message[] = [...question, { role: 'assistant', content: first.text }];
      const second = await run({ messages: [...history, { role: 'user', content: 'Why?' }], ...greedy });
      expect(second.usage.cachedTokens).toBeGreaterThanOrEqual(first.usage.promptTokens);
      expect(second.usage.cachedTokens).toBeLessThan(second.usage.promptTokens);
    });

    it('answers the same with a prompt from the cache as without', async () => {
      // A context of another size is another one: nothing has been asked in it yet.
      const fresh = demoEndpoint({ contextTokens: 500 });
      const cold = await collect(adapter.streamInfer(fresh, { messages: question, ...greedy }));
      const warm = await collect(adapter.streamInfer(fresh, { messages: question, ...greedy }));
      expect(cold.usage.cachedTokens).toBe(0);
      expect(warm.usage.cachedTokens).toBe(warm.usage.promptTokens - 1);
      expect(warm.text).toBe(cold.text);
    });

    it('ends with length at maxTokens', async () => {
      const result = await run({ messages: question, temperature: 0, maxTokens: 3 });
      expect(result).toMatchObject({ finishReason: 'length', usage: { completionTokens: 3 } });
    });

    it('ends in front of a stop sequence, also one that runs across tokens', async () => {
      const { text } = await run({ messages: question, ...greedy });
      const at = Math.floor(text.length / 2);
      const stop = text.slice(at, at + 5);
      const result = await run({ messages: question, ...greedy, stop: ['never in it', stop] });
      expect(result.finishReason).toBe('stop');
      expect(result.text).toBe(text.slice(0, text.indexOf(stop)));
    });

    it('repeats itself with a seed and differs without', async () => {
      const extra = { top_k: 0, min_p: 0 };
      const sampled = { prompt: 'q z x', temperature: 2, topP: 1, maxTokens: 24, extra };
      const [a, b] = [await run({ ...sampled, seed: 7 }), await run({ ...sampled, seed: 7 })];
      const others = [await run(sampled), await run(sampled), await run(sampled)];
      expect(b.text).toBe(a.text);
      expect(b.usage.cachedTokens).toBe(0);
      expect(new Set(others.map(other => other.text)).size).toBeGreaterThan(1);
    });

    it('changes its answer under a repeat penalty', async () => {
      const plain = await run({ messages: question, temperature: 0 });
      const extra = { repeat_penalty: 1000 };
      const penalised = await run({ messages: question, temperature: 0, extra });
      expect(penalised.text).not.toBe(plain.text);
    });

    it('follows a JSON schema and a grammar', async () => {
      const schema = {
        type: 'object',
        properties: { climb: { type: 'boolean' }, word: { enum: ['up', 'down'] } },
        required: ['climb', 'word'],
      };
      const format = { type: 'json_schema' as const, schema };
      const json = await run({ messages: question, temperature: 0, maxTokens: 64, responseFormat: format });
      expect(JSON.parse(json.text)).toEqual({
        climb: expect.any(Boolean),
        word: expect.stringMatching(/up|down/),
      });
      const grammar = 'root ::= "roger" | "wilco"';
      const word = await run({ messages: question, temperature: 0, maxTokens: 64, extra: { grammar } });
      expect(word).toMatchObject({ text: expect.stringMatching(/^(roger|wilco)$/), finishReason: 'stop' });
    });
  });

  describe('the context', () => {
    it('refuses a prompt that fills it, with both numbers', async () => {
      const prompt = 'one two three four five '.repeat(300);
      const result = await collect(adapter.streamInfer(endpoint, { prompt }), { throwOnError: false });
      expect(result.error).toMatchObject({
        category: 'context_length',
        contextTokens: 512,
        retryable: false,
      });
      expect(result.error?.promptTokens).toBeGreaterThanOrEqual(512);
      expect(result.usage.completionTokens).toBe(0);
    });

    it('ends the answer with length when it is full, and loses nothing', async () => {
      const small = demoEndpoint({ contextTokens: 40 });
      const extra = { grammar: 'root ::= [a-z ] root' };
      const filled = await collect(adapter.streamInfer(small, { prompt: 'one two', temperature: 0, extra }));
      expect(filled.finishReason).toBe('length');
      expect(filled.usage.totalTokens).toBe(40);
    });
  });
});
