import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Adapter,
  collect,
  type InferenceRequest,
  type InferenceResult,
  type Message,
} from '@x/airframe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureRandomModel } from '../../../../scripts/make-random-gguf.mjs';
import { ensureLlamaSource } from '../../native/llama-cpp.mjs';
import { type LlamaCppExtra, llamaCppAdapter } from '../../src/index.ts';
import { demoEndpoint } from '../demo-model.ts';
import { modelWithTemplate } from '../template-model.ts';

const endpoint = demoEndpoint({ contextTokens: 1_024, threads: 1 });
const question = [{ role: 'user' as const, content: 'What is airframe?' }];
const climb = {
  name: 'climb',
  description: 'Climbs to a height.',
  parameters: {
    type: 'object',
    properties: { feet: { type: 'integer', minimum: 1, maximum: 9 }, fast: { type: 'boolean' } },
    required: ['feet', 'fast'],
    additionalProperties: false,
  },
};

let adapter: Required<Adapter<LlamaCppExtra>>;
beforeAll(() => {
  adapter = llamaCppAdapter({ engine: 'core' }) as typeof adapter;
});
afterAll(() => adapter.close());

const run = (request: InferenceRequest<LlamaCppExtra>): Promise<InferenceResult> =>
  collect(adapter.streamInfer(endpoint, request));

describe('the core does what a llama-server does', () => {
  it('says so in its manifest', () => {
    expect(adapter.capabilities).toMatchObject({
      tools: true,
      reasoning: true,
      images: true,
      embed: true,
      countTokens: true,
      listModels: true,
      health: true,
    });
  });

  it('calls a tool that it has to call, streamed and whole', async () => {
    for (const stream of [true, false]) {
      const { message, finishReason } = await run({
        messages: question,
        tools: [climb],
        toolChoice: 'required',
        temperature: 0,
        maxTokens: 200,
        stream,
      });
      expect(finishReason).toBe('tool_calls');
      expect(message?.toolCalls?.length).toBeGreaterThan(0);
      expect(message?.toolCalls?.[0]).toMatchObject({
        name: 'climb',
        input: { feet: expect.any(Number), fast: expect.any(Boolean) },
      });
    }
  });

  it('splits what was thought from what is said, by the format of the template', async () => {
    const template = join(await ensureLlamaSource(), 'models/templates/Qwen-Qwen3-0.6B.jinja');
    const thinker = modelWithTemplate(readFileSync(template, 'utf8'));
    const grammar = 'root ::= "<think>\\nclimb first\\n</think>\\n\\nup and away"';
    for (const stream of [true, false]) {
      const request = { messages: question, maxTokens: 60, stream, extra: { grammar } };
      const { message } = await collect(
        adapter.streamInfer(demoEndpoint({ contextTokens: 512 }, thinker.path), request),
      );
      expect(message?.reasoning?.[0]?.text.trim()).toBe('climb first');
      expect(message?.content.trim()).toBe('up and away');
    }
    thinker.remove();
  });

  it('heeds a logit bias', async () => {
    const plain = await run({ messages: question, temperature: 0, maxTokens: 1 });
    const banned = await run({
      messages: question,
      temperature: 0,
      maxTokens: 1,
      extra: { logit_bias: [[plain.text, false]] },
    });
    expect(banned.text).not.toBe(plain.text);
  });

  it('counts the tokens of a request as it charges them', async () => {
    for (const request of [{ messages: question }, { prompt: 'one two three' }]) {
      const { tokens, exact } = await adapter.countTokens(endpoint, request);
      const { usage } = await run({ ...request, maxTokens: 1 } as InferenceRequest<LlamaCppExtra>);
      expect({ tokens, exact }).toEqual({ tokens: usage.promptTokens, exact: true });
    }
  });

  it('makes vectors: the same for the same text, others for others', async () => {
    const input = ['a wing lifts', 'a wing lifts', 'two and two make four'];
    const { embeddings, usage } = await adapter.embed(endpoint, { input });
    expect(embeddings).toHaveLength(3);
    const [one, same, other] = embeddings as [number[], number[], number[]];
    const likeness = (a: number[], b: number[]) => a.reduce((sum, x, at) => sum + x * (b[at] as number), 0);
    expect(likeness(one, one)).toBeCloseTo(1, 4);
    expect(likeness(one, same)).toBeCloseTo(1, 4);
    expect(likeness(one, other)).toBeLessThan(0.99);
    expect(usage).toMatchObject({ completionTokens: 0, source: 'reported' });
    expect(usage.promptTokens).toBeGreaterThan(3);
  });

  it('lists the one model it has', async () => {
    const models = await adapter.listModels(endpoint);
    expect(models).toMatchObject([{ id: 'pilot', contextTokens: expect.any(Number) }]);
  });

  it('works on several requests at once, each with the answer it has alone', async () => {
    const prompts = Array.from({ length: 8 }, (_, index) => `Number ${index} is`);
    const ask = (prompt: string) => run({ prompt, temperature: 0, maxTokens: 16 });
    const alone: string[] = [];
    for (const prompt of prompts) alone.push((await ask(prompt)).text);
    const together = await Promise.all(prompts.map(ask));
    expect(together.map(({ text }) => text)).toEqual(alone);
  });

  it('evaluates only the new turn of each of several chats', async () => {
    const chats = ['What is airframe?', 'What is a breaker?', 'What is avionics?'];
    const first = await Promise.all(
      chats.map(content => run({ messages: [{ role: 'user', content }], temperature: 0, maxTokens: 12 })),
    );
    for (const [index, content] of chats.entries()) {
      const { text, usage } = first[index] as InferenceResult;
      const second = await run({
        messages: [
          { role: 'user', content },
          { role: 'assistant', content: text },
          { role: 'user', content: 'Why?' },
        ],
        temperature: 0,
        maxTokens: 4,
      });
      expect(second.usage.cachedTokens).toBeGreaterThanOrEqual(usage.promptTokens);
    }
  });

  it('finds a chat again whose only sequence another one has taken meanwhile', async () => {
    const one = demoEndpoint({ contextTokens: 512, threads: 1, parallel: 1 });
    const ask = (messages: Message[]) =>
      collect(adapter.streamInfer(one, { messages, temperature: 0, maxTokens: 12 }));
    const first = await ask(question);
    await ask([{ role: 'user', content: 'How many sides does a triangle have?' }]);
    const { text, usage } = first;
    const again = await ask([
      ...question,
      { role: 'assistant', content: text },
      { role: 'user', content: 'Why?' },
    ]);
    expect(again.usage.cachedTokens).toBeGreaterThanOrEqual(usage.promptTokens);
  });

  it('goes on with others while one is not read', async () => {
    const slow = adapter.streamInfer(endpoint, {
      prompt: 'one two',
      maxTokens: 200,
      extra: { ignore_eos: true },
    });
    await slow.next();
    const others = await Promise.all(
      [1, 2, 3, 4, 5].map(n => run({ prompt: `Number ${n}`, maxTokens: 8, extra: { ignore_eos: true } })),
    );
    expect(others.map(({ usage }) => usage.completionTokens)).toEqual([8, 8, 8, 8, 8]);
    let last: string | undefined;
    for await (const event of slow) last = event.type === 'done' ? event.finishReason : last;
    expect(last).toBe('length');
  });

  // Read to their ends, the prompts would take longer.
  it('lets go of a prompt that is being read when nobody waits for it, and of one in the queue', {
    timeout: 20_000,
  }, async () => {
    const long = demoEndpoint({ contextTokens: 8_000, threads: 1, parallel: 1 }, await ensureRandomModel());
    const leaving = new AbortController();
    const ask = (signal: AbortSignal) =>
      collect(adapter.streamInfer(long, { prompt: ' word'.repeat(7_000), maxTokens: 2 }, { signal }), {
        throwOnError: false,
      });
    await collect(adapter.streamInfer(long, { prompt: 'one', maxTokens: 2 }));
    const reading = [ask(leaving.signal), ask(leaving.signal), ask(leaving.signal)];
    await sleep(200);
    leaving.abort();
    const left = await Promise.all(reading);
    expect(left.map(({ finishReason }) => finishReason)).toEqual(['aborted', 'aborted', 'aborted']);
    const next = await collect(adapter.streamInfer(long, { prompt: 'one', maxTokens: 2 }));
    expect(next.usage.promptTokens).toBeLessThan(10);
  });

  it('refuses what llama.cpp refuses, in its words', async () => {
    const bad = await collect(
      adapter.streamInfer(endpoint, { prompt: 'one', extra: { grammar: 'root ::= (' } }),
      { throwOnError: false },
    );
    expect(bad.error).toMatchObject({
      category: 'invalid_request',
      message: expect.stringMatching(/grammar/i),
    });
  });

  it('names the model’s URL, and refuses half of a surrogate pair as the request’s fault', async () => {
    const bad = await collect(adapter.streamInfer(endpoint, { prompt: 'one \ud800' }), {
      throwOnError: false,
    });
    expect(bad.error).toMatchObject({
      category: 'invalid_request',
      message: expect.stringContaining(`${endpoint.baseUrl} answered 400: `),
    });
  });

  it('answers though the app’s log reader throws', async () => {
    const thrown: unknown[] = [];
    const keep = (error: unknown) => thrown.push(error);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', keep);
    const logging = llamaCppAdapter({
      engine: 'core',
      onLog: () => {
        throw new Error('the disk is full');
      },
    });
    try {
      const alone = demoEndpoint({ contextTokens: 333, threads: 1 });
      const { usage } = await collect(logging.streamInfer(alone, { prompt: 'one', maxTokens: 2 }));
      expect(usage.completionTokens).toBe(2);
      expect(thrown.length).toBeGreaterThan(0);
    } finally {
      await logging.close();
      process.off('uncaughtException', keep);
      for (const other of others) process.on('uncaughtException', other);
    }
  });
});
