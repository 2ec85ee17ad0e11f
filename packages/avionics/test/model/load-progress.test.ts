import { describe, expect, it } from 'vitest';
import { DEMO_MODEL } from '../../../../test/real-llama-server.ts';
import { getSettings, LLMGateway } from '../../src/index.ts';

describe('the gateway over a model in this process', () => {
  it('tells how far it is loaded, once, and which one', async () => {
    const told: [number, string][] = [];
    const settings = getSettings({ LLM_PROVIDER: 'llamacpp', LLAMACPP_MODEL_PATH: DEMO_MODEL });
    const gateway = new LLMGateway(settings, { onLoadProgress: (...progress) => told.push(progress) });
    await gateway.complete({ prompt: 'What is 2+2?' });
    const loaded = told.length;
    await gateway.complete({ prompt: 'And 3+3?', agentName: 'other' });
    await gateway.close();
    expect(told.at(-1)).toEqual([1, DEMO_MODEL]);
    expect(told).toHaveLength(loaded);
  });

  it('embeds, if the model’s vectors are wanted', async () => {
    const settings = getSettings({ LLM_PROVIDER: 'llamacpp', LLAMACPP_MODEL_PATH: DEMO_MODEL });
    const gateway = new LLMGateway(settings);
    const { embeddings, costUsd } = await gateway.embed({ input: ['a wing', 'a prayer'] });
    await gateway.close();
    expect(embeddings).toHaveLength(2);
    expect(costUsd).toBe(0);
  });
});
