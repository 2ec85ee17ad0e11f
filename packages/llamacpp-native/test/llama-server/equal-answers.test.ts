import { collect, type Message } from '@x/airframe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealLlamaServer, startLlamaServer } from '../../../../test/real-llama-server.ts';
import { llamaCppAdapter, type Model, nodeLlamaEngine } from '../../src/index.ts';
import { DEMO_MODEL, demoEndpoint } from '../demo-model.ts';
import { ENGINES } from '../engines.ts';

interface Completion {
  content: string;
  tokens_predicted: number;
  tokens_evaluated: number;
  stop_type: string;
  timings: { cache_n: number };
}

const sampling = { temperature: 0, top_k: 40, top_p: 0.95, repeat_penalty: 1.1 };

describe.each(ENGINES)('the engine %s', engine => {
  const adapter = llamaCppAdapter({ engine });
  const endpoint = demoEndpoint({ contextTokens: 512, parallel: 1 });
  let server: RealLlamaServer;
  let model: Model;

  beforeAll(async () => {
    server = await startLlamaServer({ contextTokens: 512 });
    model = await nodeLlamaEngine().load({ path: DEMO_MODEL, contextTokens: 512 });
  });
  afterAll(async () => {
    await adapter.close();
    await model?.dispose();
    await server?.stop();
  });

  const chats: Message[][] = [
    [{ role: 'user', content: 'What is airframe?' }],
    [
      { role: 'system', content: 'You are a pilot. Be brief.' },
      { role: 'user', content: 'Grüße! 🛩️ What is a breaker?' },
      { role: 'assistant', content: 'It keeps a node that fails out of the way.' },
      { role: 'user', content: 'How many sides does a triangle have?' },
    ],
  ];

  describe('in-process answers are llama-server’s', () => {
    it.each(chats.map((messages, index) => [index + 1, messages] as const))(
      'for chat %i: template, text, tokens, cached tokens and ending',
      async (_, messages) => {
        const { prompt } = await server.post<{ prompt: string }>('/apply-template', { messages });
        expect(model.chatPrompt(messages as Parameters<Model['chatPrompt']>[0])).toBe(prompt);
        for (const n_predict of [80, 12]) {
          const wanted = await server.post<Completion>('/completion', { prompt, n_predict, ...sampling });
          const extra = { top_k: 40, repeat_penalty: 1.1 };
          const options = { temperature: 0, topP: 0.95, maxTokens: n_predict, extra };
          const answer = await collect(adapter.streamInfer(endpoint, { messages, ...options }));
          expect({
            content: answer.text,
            tokens_predicted: answer.usage.completionTokens,
            tokens_evaluated: answer.usage.promptTokens,
            cache_n: answer.usage.cachedTokens,
            limited: answer.finishReason === 'length',
          }).toEqual({
            content: wanted.content,
            tokens_predicted: wanted.tokens_predicted,
            tokens_evaluated: wanted.tokens_evaluated,
            cache_n: wanted.timings.cache_n,
            limited: wanted.stop_type === 'limit',
          });
        }
      },
    );

    it('for a prompt that is too long: the same two numbers', async () => {
      const prompt = 'one two three four five '.repeat(300);
      const refused = await server.post<{ error: { n_prompt_tokens: number; n_ctx: number } }>(
        '/completion',
        {
          prompt,
        },
      );
      const { error } = await collect(adapter.streamInfer(endpoint, { prompt }), { throwOnError: false });
      expect(error).toMatchObject({
        category: 'context_length',
        promptTokens: refused.error.n_prompt_tokens,
        contextTokens: refused.error.n_ctx,
      });
    });
  });

  describe('in-process counts and vectors are llama-server’s', () => {
    it.each(chats.map((messages, index) => [index + 1, messages] as const))(
      'for chat %i: the tokens of its prompt',
      async (_, messages) => {
        const there = await server.post<{ input_tokens: number }>('/v1/chat/completions/input_tokens', {
          messages,
        });
        expect(await adapter.countTokens?.(endpoint, { messages })).toEqual({
          tokens: there.input_tokens,
          exact: true,
        });
      },
    );

    it('for texts, the last token’s where the model says nothing of pooling', async () => {
      const embedder = await startLlamaServer({ contextTokens: 512, embeddings: 'last' });
      try {
        const input = ['What is airframe?', 'Grüße! 🛩️'];
        const there = await embedder.post<{
          data: { embedding: number[] }[];
          usage: { prompt_tokens: number };
        }>('/v1/embeddings', { input });
        const here = await adapter.embed?.(endpoint, { input });
        expect(here?.usage.promptTokens).toBe(there.usage.prompt_tokens);
        for (const [text, { embedding }] of there.data.entries()) {
          const vector = here?.embeddings[text] ?? [];
          expect(vector).toHaveLength(embedding.length);
          const cosine = vector.reduce((sum, value, i) => sum + value * (embedding[i] ?? 0), 0);
          expect(cosine).toBeCloseTo(1, 4);
        }
      } finally {
        await embedder.stop();
      }
    });
  });
});
