import { AirframeError } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { telemetryWithSdk } from '../../test/telemetry-sdk.ts';
import { Limiter } from '../limits/limiter.ts';
import { LLMProvider } from '../providers/base.ts';
import { MockProvider } from '../providers/mock.ts';
import { readSettings } from '../settings/settings.ts';
import { LLMGateway } from './gateway.ts';
import { mockedGateway } from './test-gateway.ts';

class Silent extends LLMProvider {
  readonly name = 'silent';
  override async generate(): Promise<string> {
    return '';
  }
  override async healthCheck(): Promise<boolean> {
    return true;
  }
}

describe('gateway.embed', () => {
  it('gives one vector a text, and accounts for the tokens', async () => {
    const { gateway } = mockedGateway({});
    const request = { input: ['one', 'two words'], dimensions: 8, agentName: 'indexer', metadata: { id: 7 } };
    const response = await gateway.embed(request);
    expect(response.embeddings.map(vector => vector.length)).toEqual([8, 8]);
    expect(response).toMatchObject({
      provider: 'llamaserver',
      model: 'mock',
      metadata: { request: { id: 7 } },
    });
    expect(response.tokensUsed).toBeGreaterThan(0);
    expect(response.costUsd).toBeCloseTo((response.tokensUsed * 0.01) / 1_000, 12);
    expect(gateway.getStats()).toMatchObject({
      succeeded: 1,
      promptTokens: response.tokensUsed,
      agents: { indexer: { succeeded: 1, costUsd: response.costUsd } },
      providers: { llamaserver: { requests: 1 } },
    });
  });

  it('asks no other provider when the first one fails: its vectors would mean something else', async () => {
    const backup = new MockProvider();
    const providers = { llamaserver: new Silent(), backup };
    const { gateway } = mockedGateway({}, { providers, fallbackProviders: ['backup'] });
    await expect(gateway.embed({ input: 'x' })).rejects.toMatchObject({ code: 'unsupported' });
    expect(backup.requests).toHaveLength(0);
    expect(gateway.getStats()).toMatchObject({ failed: 1, providers: { llamaserver: { errors: 1 } } });
  });

  it('keeps within limits and gives back what a failed call has not used', async () => {
    const limiter = new Limiter({ rules: [{ name: 'all', scope: 'all', window: 'day', tokens: 1_000 }] });
    const { gateway } = mockedGateway({}, { limiter });
    const { tokensUsed } = await gateway.embed({ input: 'one two three' });
    await expect(gateway.embed({ input: 'x', signal: AbortSignal.abort() })).rejects.toMatchObject({
      category: 'aborted',
    });
    expect((await limiter.usage())[0]).toMatchObject({ spent: tokensUsed, reserved: 0 });
    expect(gateway.getStats()).toMatchObject({ succeeded: 1, stopped: 1 });
  });

  it('asks the resource callback before, and tells it the tokens', async () => {
    const told: [number, number][] = [];
    const { gateway } = mockedGateway(
      {},
      { resourceCallback: (tokensIn, tokensOut) => void told.push([tokensIn, tokensOut]) },
    );
    const { tokensUsed } = await gateway.embed({ input: 'one' });
    expect(told).toEqual([
      [0, 0],
      [tokensUsed, 0],
    ]);
    gateway.setResourceCallback(() => 'enough');
    await expect(gateway.embed({ input: 'one' })).rejects.toThrow(AirframeError);
    expect(gateway.getStats()).toMatchObject({ stopped: 1 });
  });

  it('shows as an operation of its own', async () => {
    const { telemetry, spans } = telemetryWithSdk();
    const { gateway } = mockedGateway({}, { telemetry });
    await gateway.embed({ input: 'x', model: 'nomic' });
    const [attempt, operation] = spans();
    expect(operation?.name).toBe('embeddings nomic');
    expect(attempt?.attributes).toMatchObject({
      'gen_ai.operation.name': 'embeddings',
      'gen_ai.request.model': 'nomic',
    });
  });

  it('sends the model of an alias to the provider of the alias', async () => {
    const aliases = { vectors: { provider: 'mock', model: 'mini' } };
    const gateway = new LLMGateway(readSettings({ MODEL_ALIASES: JSON.stringify(aliases) }));
    const { provider } = await gateway.embed({ input: 'x', model: 'vectors' });
    expect(provider).toBe('mock');
    await gateway.close();
  });
});
