import OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import { json, scriptedServer } from '../../../../test/scripted-server.ts';
import { gatewayOver } from '../kinds.ts';
import { KEY, runGateway } from '../running-gateway.ts';

const VECTORS = [
  [0.25, -1],
  [1, 0.5],
];
const answer = json(200, {
  object: 'list',
  model: 'up-model',
  data: VECTORS.map((embedding, index) => ({ object: 'embedding', index, embedding })),
  usage: { prompt_tokens: 4, total_tokens: 4 },
});

const clientOf = (url: string) => new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 });
const ask = { model: 'fast', input: ['a', 'b'] };

describe('openai-node, by embeddings', () => {
  it('gets vectors as it asks for them by default, in base64, and as numbers', async () => {
    const { gateway, upstream } = await gatewayOver('openai-chat', answer);
    const { embeddings } = clientOf(gateway.url);
    for (const encoding of [{}, { encoding_format: 'base64' }, { encoding_format: 'float' }] as const) {
      const { data, response } = await embeddings.create({ ...ask, ...encoding }).withResponse();
      expect(data.usage).toEqual({ prompt_tokens: 4, total_tokens: 4, cost: 0.004 });
      expect(response.headers.get('x-gateway-cost-usd')).toBe('0.004');
      const first = data.data[0]?.embedding;
      if ('encoding_format' in encoding && encoding.encoding_format === 'base64') {
        expect(first).toBe(Buffer.from(Float32Array.from([0.25, -1]).buffer).toString('base64'));
      } else {
        expect(data.data.map(({ embedding }) => embedding)).toEqual(VECTORS);
      }
    }
    expect(upstream.seen[0]).toMatchObject({
      path: '/v1/embeddings',
      body: { model: 'up-model', input: ['a', 'b'] },
    });
  });

  it('gets an error of the upstream in its own form', async () => {
    const failing = json(429, { error: { message: 'slow down' } }, { 'retry-after': '7' });
    const { gateway } = await gatewayOver('openai-chat', failing);
    const failure = clientOf(gateway.url).embeddings.create(ask);
    await expect(failure).rejects.toThrow(OpenAI.RateLimitError);
    await expect(failure).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    const problem = (await failure.catch((error: unknown) => error)) as InstanceType<
      typeof OpenAI.RateLimitError
    >;
    expect(problem.headers.get('retry-after')).toBe('7');
  });

  it('learns that an upstream has none', async () => {
    const { gateway, upstream } = await gatewayOver('anthropic-messages', answer);
    const failure = clientOf(gateway.url).embeddings.create(ask);
    await expect(failure).rejects.toThrow(OpenAI.BadRequestError);
    expect(upstream.seen).toEqual([]);
  });

  it('is never answered by another provider, whose vectors mean something else', async () => {
    const bad = await scriptedServer(json(500, { error: { message: 'no' } }));
    const good = await scriptedServer(answer);
    onTestFinished(async () => {
      await bad.close();
      await good.close();
    });
    const at = ({ url }: typeof bad) => ({ type: 'openai' as const, baseUrl: `${url}/v1`, maxRetries: 0 });
    const { url } = await runGateway({
      providers: { bad: at(bad), good: at(good) },
      models: { fast: { targets: ['bad', 'good'].map(provider => ({ provider, model: 'up-model' })) } },
    });
    await expect(clientOf(url).embeddings.create(ask)).rejects.toMatchObject({ status: 502 });
    expect(good.seen).toEqual([]);
  });
});
