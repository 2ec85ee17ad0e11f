import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../test/real-llama-server.ts';
import { json, type Script, scriptedServer } from '../../../../test/scripted-server.ts';
import { KEY, runGateway } from '../running-gateway.ts';

const vectors = json(200, {
  object: 'list',
  model: 'm',
  data: [{ object: 'embedding', index: 0, embedding: [0.5, -1] }],
  usage: { prompt_tokens: 3, total_tokens: 3 },
});

async function gatewayOver(script: Script) {
  const upstream = await scriptedServer(script);
  onTestFinished(() => upstream.close());
  const gateway = await runGateway({
    providers: { up: { type: 'openai', baseUrl: `${upstream.url}/v1`, maxRetries: 0 } },
    models: { vectors: { targets: [{ provider: 'up', model: 'm' }] } },
  });
  const ask = (signal?: AbortSignal) =>
    fetch(`${gateway.url}/v1/embeddings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'vectors', input: 'Hi' }),
      ...(signal ? { signal } : {}),
    });
  return { upstream, gateway, ask };
}

describe('embeddings', () => {
  it('come from a provider that takes its time', async () => {
    const { ask } = await gatewayOver(async (response, seen) => {
      await new Promise(resolve => setTimeout(resolve, 200));
      vectors(response, seen);
    });
    const answer = await ask();
    expect(await answer.json()).toMatchObject({
      data: [{ embedding: [0.5, -1] }],
      usage: { prompt_tokens: 3 },
    });
  });

  it('are not asked for any more when the client is gone', async () => {
    const { upstream, gateway, ask } = await gatewayOver(() => {});
    const gone = new AbortController();
    const asking = ask(gone.signal).catch((error: Error) => error.name);
    await until(() => upstream.seen.length === 1);
    gone.abort();
    expect(await asking).toBe('AbortError');
    await until(() => upstream.seen[0]?.closedEarly === true, 1_000);
    await until(() => gateway.log().some(({ status }) => status === 499));
  });
});
