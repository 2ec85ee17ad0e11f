import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealLlamaServer, startLlamaServer } from '../../../../test/real-llama-server.ts';
import { collect, type EndpointSpec, type Message, openAIChatAdapter } from '../../src/index.ts';

/** llama-server as one of the many OpenAI-compatible servers. */
describe('openai_chat against a real server', () => {
  const adapter = openAIChatAdapter();
  const question: Message[] = [{ role: 'user', content: 'What is 2+2?' }];
  let server: RealLlamaServer;
  let endpoint: EndpointSpec;
  beforeAll(async () => {
    server = await startLlamaServer();
    endpoint = {
      name: 'compatible',
      backendKind: 'openai_chat',
      baseUrl: `${server.url}/v1`,
      model: 'pilot',
    };
  });
  afterAll(async () => {
    await adapter.close();
    await server?.stop();
  });

  it('streams an answer with the usage the server reports', async () => {
    const result = await collect(adapter.streamInfer(endpoint, { messages: question, temperature: 0 }));
    expect(result.text).toContain('4');
    expect(result).toMatchObject({ finishReason: 'stop', model: 'pilot', usage: { source: 'reported' } });
    expect(result.responseId).toMatch(/^chatcmpl-/);
  });

  it('gives the same answer without streaming', async () => {
    const [streamed, whole] = await Promise.all(
      [true, false].map(stream =>
        collect(adapter.streamInfer(endpoint, { messages: question, temperature: 0, stream })),
      ),
    );
    expect(whole?.text).toBe(streamed?.text);
    expect(whole?.usage.completionTokens).toBe(streamed?.usage.completionTokens);
  });

  it('keeps to a JSON schema', async () => {
    const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] };
    const responseFormat = { type: 'json_schema' as const, name: 'answer', schema };
    const request = { messages: question, responseFormat, maxTokens: 256, temperature: 0 };
    expect(JSON.parse((await collect(adapter.streamInfer(endpoint, request))).text)).toEqual({
      ok: expect.any(Boolean),
    });
  });

  it('frees the slot when the consumer leaves', async () => {
    const request = { messages: question, maxTokens: 900, extra: { ignore_eos: true } };
    for await (const _event of adapter.streamInfer(endpoint, request)) break;
    await server.idle();
  });

  it('names both numbers when the prompt is longer than the context', async () => {
    const messages: Message[] = [{ role: 'user', content: 'What is 2+2? '.repeat(400) }];
    const { error } = await collect(adapter.streamInfer(endpoint, { messages }), { throwOnError: false });
    expect(error).toMatchObject({ category: 'context_length', contextTokens: 1024 });
    expect(error?.promptTokens).toBeGreaterThan(1024);
  });

  it('is healthy', async () => {
    expect(await adapter.health(endpoint)).toMatchObject({ state: 'healthy' });
  });
});
