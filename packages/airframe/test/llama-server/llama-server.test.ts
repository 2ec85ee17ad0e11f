import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealLlamaServer, startLlamaServer, until } from '../../../../test/real-llama-server.ts';
import {
  AirframeClient,
  collect,
  type EndpointSpec,
  type InferenceRequest,
  type InferenceStreamEvent,
  type LlamaServerExtra,
  llamaServerAdapter,
  type Message,
  withRetry,
} from '../../src/index.ts';

const adapter = llamaServerAdapter();
type Request = InferenceRequest<LlamaServerExtra>;

const user = (content: string): Message => ({ role: 'user', content });
const question: Message[] = [user('What is 2+2?')];

/** Goes on for as long as it is let. */
const endless: Request = { prompt: 'What is', maxTokens: 900, temperature: 0, extra: { ignore_eos: true } };

function endpointOf(server: RealLlamaServer, options: Partial<EndpointSpec> = {}): EndpointSpec {
  return { name: 'real', backendKind: 'llama_server', baseUrl: server.url, ...options };
}

async function all(stream: AsyncIterable<InferenceStreamEvent>): Promise<InferenceStreamEvent[]> {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

interface Slot {
  is_processing: boolean;
}

describe.each(['native', 'openai'] as const)('api type %s', apiType => {
  let server: RealLlamaServer;
  let endpoint: EndpointSpec;
  beforeAll(async () => {
    server = await startLlamaServer();
    endpoint = endpointOf(server, { options: { apiType } });
  });
  afterAll(() => server?.stop());

  const infer = (request: Request) => collect(adapter.streamInfer(endpoint, request));

  it('streams an answer in the order of the contract', async () => {
    const events = await all(adapter.streamInfer(endpoint, { messages: question, temperature: 0 }));
    const types = events.map(event => event.type);
    expect(types.slice(-2)).toEqual(['message', 'done']);
    expect(new Set(types.slice(0, -2))).toEqual(new Set(['token']));
    const text = events.map(event => (event.type === 'token' ? event.text : '')).join('');
    expect(text).toContain('4');
    expect(events.at(-2)).toEqual({ type: 'message', message: { role: 'assistant', content: text } });
    expect(events.at(-1)).toMatchObject({ finishReason: 'stop', model: 'pilot' });
  });

  it('gives the same answer without streaming', async () => {
    const streamed = await infer({ messages: question, temperature: 0 });
    const whole = await infer({ messages: question, temperature: 0, stream: false });
    expect(whole.text).toBe(streamed.text);
    expect(whole.finishReason).toBe(streamed.finishReason);
    expect(whole.usage.completionTokens).toBe(streamed.usage.completionTokens);
  });

  it('answers many calls one right after the other', async () => {
    for (let i = 0; i < 60; i++) {
      const { finishReason } = await infer({ messages: question, maxTokens: 2, stream: i % 3 !== 0 });
      expect(finishReason).toBe('length');
    }
  });

  it('reports the usage that the server itself counts', async () => {
    const { prompt } = await server.post<{ prompt: string }>('/apply-template', { messages: question });
    const { tokens } = await server.post<{ tokens: number[] }>('/tokenize', {
      content: prompt,
      add_special: true,
    });
    const { usage, text } = await infer({
      messages: question,
      temperature: 0,
      extra: { cache_prompt: false },
    });
    const own = await server.post<{ tokens_predicted: number; tokens_evaluated: number; content: string }>(
      '/completion',
      { prompt, temperature: 0, cache_prompt: false },
    );
    expect(usage).toMatchObject({ promptTokens: tokens.length, cachedTokens: 0, source: 'reported' });
    expect(usage.promptTokens).toBe(own.tokens_evaluated);
    expect(usage.completionTokens).toBe(own.tokens_predicted);
    expect(text.trim()).toBe(own.content.trim());
  });

  it('reuses the cache over the turns of a chat, as cachedTokens tells', async () => {
    const first = await infer({ messages: question, temperature: 0 });
    const history: Message[] = [...question, first.message ?? user(''), user('What is 3+4?')];
    const second = await infer({ messages: history, temperature: 0 });
    expect(second.text).toContain('7');
    expect(second.usage.cachedTokens).toBeGreaterThanOrEqual(first.usage.promptTokens);
    expect(second.usage.cachedTokens).toBeLessThan(second.usage.promptTokens);
  });

  it('frees the slot on abort and tells the usage so far', async () => {
    const controller = new AbortController();
    const events: InferenceStreamEvent[] = [];
    for await (const event of adapter.streamInfer(endpoint, endless, { signal: controller.signal })) {
      events.push(event);
      if (events.length === 10) controller.abort();
    }
    expect(events.at(-2)).toMatchObject({ type: 'error', error: { category: 'aborted' } });
    expect(events.at(-1)).toMatchObject({ finishReason: 'aborted', usage: { source: 'reported' } });
    const done = events.at(-1);
    expect(done?.type === 'done' && done.usage.completionTokens).toBeGreaterThanOrEqual(10);
    await server.idle();
  });

  it('frees the slot when the consumer leaves', async () => {
    for await (const _event of adapter.streamInfer(endpoint, endless)) break;
    await server.idle();
    expect((await infer({ messages: question, temperature: 0 })).text).toContain('4');
  });

  it('names both numbers when the prompt is longer than the context', async () => {
    const prompt = 'What is 2+2? '.repeat(400);
    const result = await collect(adapter.streamInfer(endpoint, { prompt }), { throwOnError: false });
    expect(result.error).toMatchObject({ category: 'context_length', contextTokens: 1024 });
    expect(result.error?.promptTokens).toBeGreaterThan(1024);
    expect(result.finishReason).toBe('error');
  });

  it('ends with length at maxTokens', async () => {
    const result = await infer({ ...endless, maxTokens: 5 });
    expect(result).toMatchObject({ finishReason: 'length', usage: { completionTokens: 5 } });
  });

  it('stops before a stop sequence', async () => {
    const whole = await infer({ messages: question, temperature: 0 });
    const result = await infer({ messages: question, temperature: 0, stop: ['4'] });
    expect(result.finishReason).toBe('stop');
    expect(whole.text.startsWith(result.text)).toBe(true);
    expect(result.text).not.toContain('4');
  });

  it('keeps to a GBNF grammar', async () => {
    const extra = { grammar: 'root ::= "yes" | "no"' };
    expect((await infer({ messages: question, extra, temperature: 0 })).text).toMatch(/^(yes|no)$/);
  });

  it('keeps to a JSON schema', async () => {
    const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] };
    const responseFormat = { type: 'json_schema' as const, schema };
    const { text } = await infer({ messages: question, responseFormat, maxTokens: 256, temperature: 0 });
    expect(JSON.parse(text)).toEqual({ ok: expect.any(Boolean) });
  });

  it('passes samplers and the slot on', async () => {
    const extra = { top_k: 1, repeat_penalty: 1, id_slot: 0, min_p: 0.1 };
    expect((await infer({ messages: question, extra })).text).toContain('4');
  });

  it('is healthy', async () => {
    expect(await adapter.health(endpoint)).toMatchObject({ state: 'healthy' });
  });

  it('tells the tokens so far, then error, then done when the server is killed in mid-stream', async () => {
    const victim = await startLlamaServer({ contextTokens: 4096 });
    const events: InferenceStreamEvent[] = [];
    const request = { ...endless, maxTokens: 4000 };
    for await (const event of adapter.streamInfer(endpointOf(victim, { options: { apiType } }), request)) {
      events.push(event);
      if (events.length === 20) await victim.kill();
    }
    const types = events.map(event => event.type);
    expect(types.slice(-2)).toEqual(['error', 'done']);
    expect(types.slice(0, -2).every(type => type === 'token')).toBe(true);
    expect(events.at(-2)).toMatchObject({ error: { category: 'connection' } });
    const done = events.at(-1);
    expect(done).toMatchObject({ finishReason: 'error', usage: { source: 'reported' } });
    expect(done?.type === 'done' && done.usage.completionTokens).toBeGreaterThanOrEqual(20);
  });
});

describe('keys', () => {
  let server: RealLlamaServer;
  beforeAll(async () => {
    server = await startLlamaServer({ apiKey: 'the-right-key' });
  });
  afterAll(() => server?.stop());

  it('calls a wrong key auth, in inference and health alike', async () => {
    const endpoint = endpointOf(server, { apiKey: 'the-wrong-key' });
    const result = await collect(adapter.streamInfer(endpoint, { messages: question }), {
      throwOnError: false,
    });
    expect(result.error).toMatchObject({ category: 'auth', status: 401, retryable: false });
    expect(JSON.stringify(result)).not.toContain('the-wrong-key');
    expect(await adapter.health(endpoint)).toMatchObject({ state: 'unhealthy' });
  });

  it('is let in with the right key', async () => {
    const endpoint = endpointOf(server, { apiKey: 'the-right-key' });
    expect(
      (await collect(adapter.streamInfer(endpoint, { messages: question, temperature: 0 }))).text,
    ).toContain('4');
  });
});

describe('readiness', () => {
  it('waits while the server starts and loads its model', async () => {
    const server = await startLlamaServer({ untilReady: false });
    try {
      await until(async () => (await fetch(`${server.url}/health`).catch(() => undefined)) !== undefined);
      const result = await collect(
        adapter.streamInfer(endpointOf(server), { messages: question, temperature: 0 }),
      );
      expect(result.text).toContain('4');
      expect(result.attempts).toHaveLength(1);
    } finally {
      await server.stop();
    }
  });

  it('reaches a server that comes up late through withRetry, every try in the log', async () => {
    const server = await startLlamaServer({ untilReady: false });
    const client = new AirframeClient({
      adapters: [withRetry(adapter, { maxRetries: 200, baseDelayMs: 20, maxDelayMs: 100 })],
    });
    try {
      const result = await client.infer(endpointOf(server), { messages: question, temperature: 0 });
      expect(result.text).toContain('4');
      expect(result.attempts.at(-1)?.outcome).toBe('ok');
      expect(result.attempts.slice(0, -1).every(attempt => attempt.outcome === 'connection')).toBe(true);
    } finally {
      await server.stop();
    }
  });
});

describe('several slots', () => {
  it('answers two requests at once', async () => {
    const server = await startLlamaServer({ slots: 2 });
    try {
      const request = { ...endless, maxTokens: 900 };
      const answers = Promise.all(
        [1, 2].map(() => collect(adapter.streamInfer(endpointOf(server), request))),
      );
      await until(async () => (await server.get<Slot[]>('/slots')).every(slot => slot.is_processing));
      expect((await answers).map(answer => answer.usage.completionTokens)).toEqual([900, 900]);
    } finally {
      await server.stop();
    }
  });
});
