import { type AirframeError, defineAdapter } from '@x/airframe';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Script, scriptedLlamaServer } from '../../test/scripted-llama-server.ts';
import { AdapterProvider } from '../providers/adapter-provider.ts';
import { MockProvider, type MockProviderOptions } from '../providers/mock.ts';
import { getSettings } from '../settings/settings.ts';
import { LLMGateway, type LLMGatewayOptions } from './gateway.ts';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

function mocked(responses: MockProviderOptions['responses'], options: LLMGatewayOptions = {}) {
  const main = new MockProvider(responses ? { responses } : {});
  return { main, gateway: new LLMGateway(getSettings({}), { providers: { llamaserver: main }, ...options }) };
}

async function served(...scripts: Script[]) {
  const server = await scriptedLlamaServer(...scripts);
  const gateway = new LLMGateway(getSettings({ LLAMASERVER_HOST: server.url, LLM_MAX_RETRIES: '0' }));
  opened.push(gateway, server);
  return { server, gateway };
}

const ENDLESS: Script = { pieces: Array.from({ length: 2_000 }, () => 'x'), pieceDelayMs: 10 };

describe('a break', () => {
  it('stops the server and accounts for what was used', async () => {
    const { server, gateway } = await served(ENDLESS, {});
    let seen = 0;
    for await (const chunk of gateway.completeStream({ prompt: 'Hi' })) {
      seen += chunk.text.length;
      if (seen === 3) break;
    }
    await vi.waitFor(() => expect(server.abandoned).toBe(1));
    const stats = gateway.getStats();
    expect(stats).toMatchObject({ requests: 1, stopped: 1, failed: 0, inFlight: 0, promptTokens: 10 });
    expect(stats.completionTokens).toBeGreaterThanOrEqual(3);
    expect(stats.providers['llamaserver']).toMatchObject({ requests: 1, errors: 0 });
    expect((await gateway.complete({ prompt: 'Hi' })).text).toBe('Hello world');
  });

  it('does not wait for a chunk that is long in coming', async () => {
    const { gateway } = mocked([{ chunks: ['a', 'b'], chunkDelayMs: 60_000 }]);
    const stream = gateway.completeStream({ prompt: 'Hi' });
    expect((await stream.next()).value?.text).toBe('a');
    const pending = stream.next();
    expect(await stream.return?.()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(gateway.getStats()).toMatchObject({ stopped: 1, completionTokens: 1 });
  });

  it('before the first output ends quietly, too', async () => {
    const { gateway } = mocked([{ delayMs: 60_000, text: 'late' }]);
    const stream = gateway.completeStream({ prompt: 'Hi' });
    const pending = stream.next();
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(gateway.getStats()).toMatchObject({ stopped: 1, failed: 0, completionTokens: 0 });
  });

  it('by just not asking again after the final chunk leaves nothing open', async () => {
    const { gateway } = mocked(['a']);
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, 'removeEventListener');
    const stream = gateway.completeStream({ prompt: 'Hi', signal });
    await stream.next();
    expect((await stream.next()).value?.isFinal).toBe(true);
    expect(removed).toHaveBeenCalledTimes(1);
    expect(gateway.getStats()).toMatchObject({ succeeded: 1, inFlight: 0 });
  });

  it('on the final chunk is a success', async () => {
    const { gateway } = mocked(['a b']);
    for await (const chunk of gateway.completeStream({ prompt: 'Hi' })) if (chunk.isFinal) break;
    expect(gateway.getStats()).toMatchObject({ succeeded: 1, stopped: 0, completionTokens: 2 });
  });
});

describe('an abort', () => {
  it('ends the call with an error, stops the server, and accounts for what was used', async () => {
    const { server, gateway } = await served(ENDLESS);
    const controller = new AbortController();
    const chunks: string[] = [];
    const read = async () => {
      for await (const chunk of gateway.completeStream({ prompt: 'Hi', signal: controller.signal })) {
        chunks.push(chunk.text);
        if (chunks.length === 2) controller.abort();
      }
    };
    await expect(read()).rejects.toMatchObject({ category: 'aborted', attempts: [{ outcome: 'aborted' }] });
    await vi.waitFor(() => expect(server.abandoned).toBe(1));
    expect(gateway.getStats()).toMatchObject({ stopped: 1, failed: 0, promptTokens: 10 });
    expect(gateway.getStats().completionTokens).toBeGreaterThanOrEqual(2);
  });

  it('in a call without a stream does the same, and asks no other provider', async () => {
    const backup = new MockProvider();
    const { gateway, main } = mocked([{ delayMs: 60_000, text: 'late' }], { fallbackProviders: [] });
    const withBackup = new LLMGateway(getSettings({}), {
      providers: { llamaserver: main, backup },
      fallbackProviders: ['backup'],
    });
    for (const one of [gateway, withBackup]) {
      await expect(one.complete({ prompt: 'Hi', signal: AbortSignal.timeout(10) })).rejects.toMatchObject({
        category: 'aborted',
      });
      await expect(one.complete({ prompt: 'Hi', signal: AbortSignal.abort() })).rejects.toMatchObject({
        category: 'aborted',
      });
      expect(one.getStats()).toMatchObject({ requests: 2, stopped: 2 });
    }
    expect(backup.requests).toHaveLength(0);
  });

  it('leaves no listener on the caller’s signal', async () => {
    const { gateway } = mocked(['a b c']);
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    await gateway.complete({ prompt: 'Hi', signal });
    for await (const _ of gateway.completeStream({ prompt: 'Hi', signal })) break;
    expect(added).toHaveBeenCalledTimes(2);
    expect(removed).toHaveBeenCalledTimes(2);
  });
});

describe('the resource callback', () => {
  it('is told of all tokens, once', async () => {
    const sums = { in: 0, out: 0 };
    const resourceCallback = (tokensIn: number, tokensOut: number): undefined => {
      sums.in += tokensIn;
      sums.out += tokensOut;
    };
    const usage = { promptTokens: 40, completionTokens: 9 };
    const { gateway } = mocked([{ text: 'a b', usage }], { resourceCallback });
    await gateway.complete({ prompt: 'Hi' });
    expect(sums).toEqual({ in: 40, out: 9 });
    gateway.setResourceCallback(undefined);
    await gateway.complete({ prompt: 'Hi' });
    expect(sums).toEqual({ in: 40, out: 9 });
  });

  it('is told the usage even when there were more pieces than tokens, and after a break', async () => {
    let out = 0;
    const resourceCallback = (_: number, tokensOut: number): undefined => {
      out += tokensOut;
    };
    const usage = { promptTokens: 40, completionTokens: 2 };
    const { gateway } = mocked([{ chunks: ['a', 'b', 'c', 'd'], usage }], { resourceCallback });
    expect((await gateway.complete({ prompt: 'Hi' })).completionTokens).toBe(2);
    expect(out).toBe(2);
    for await (const _ of gateway.completeStream({ prompt: 'Hi' })) break;
    expect(out).toBe(gateway.getStats().completionTokens);
  });

  it('stops the caller before the next call', async () => {
    let used = 0;
    const resourceCallback = (tokensIn: number, tokensOut: number) => {
      used += tokensIn + tokensOut;
      return used >= 100 ? `${used} of 100 tokens used` : undefined;
    };
    const usage = { promptTokens: 98, completionTokens: 2 };
    const { gateway, main } = mocked([{ text: 'a b', usage }], { resourceCallback });
    expect((await gateway.complete({ prompt: 'Hi', agentName: 'planner' })).text).toBe('a b');
    await expect(gateway.complete({ prompt: 'Hi', agentName: 'planner' })).rejects.toMatchObject({
      category: 'quota',
      message: 'agent "planner" may not call: 100 of 100 tokens used',
    });
    expect(main.requests).toHaveLength(1);
    expect(gateway.getStats()).toMatchObject({ requests: 2, succeeded: 1, stopped: 1 });
  });

  it('stops a stream in the middle, and the server with it', async () => {
    const { server, gateway } = await served(ENDLESS);
    let used = 0;
    gateway.setResourceCallback((_, tokensOut) => {
      used += tokensOut;
      return used >= 3 ? 'three is enough' : undefined;
    });
    const chunks: string[] = [];
    let error: AirframeError | undefined;
    try {
      for await (const { text } of gateway.completeStream({ prompt: 'Hi' })) chunks.push(text);
    } catch (thrown) {
      error = thrown as AirframeError;
    }
    expect(chunks).toEqual(['x', 'x', 'x']);
    expect(error).toMatchObject({
      category: 'quota',
      message: 'agent "unknown" was stopped: three is enough',
    });
    await vi.waitFor(() => expect(server.abandoned).toBe(1));
    expect(gateway.getStats()).toMatchObject({ stopped: 1, failed: 0, promptTokens: 10 });
    expect(used).toBe(gateway.getStats().completionTokens);
  });

  it('that fails stops the caller: a limit that cannot be checked is reached', async () => {
    const { gateway, main } = mocked(['a'], {
      resourceCallback: () => {
        throw new Error('no database');
      },
    });
    await expect(gateway.complete({ prompt: 'Hi' })).rejects.toMatchObject({
      category: 'quota',
      message: expect.stringContaining('the resource callback failed: no database'),
    });
    expect(main.requests).toHaveLength(0);
  });
});

describe('a provider that breaks the stream contract', () => {
  it('ends in an error all the same', async () => {
    const adapter = defineAdapter({
      kind: 'broken',
      capabilities: ALL,
      infer: async function* (_, reply) {
        reply.text('a');
        yield;
      },
      health: async () => 'healthy',
    });
    const endless: typeof adapter = {
      ...adapter,
      streamInfer: (...call) => {
        const inner = adapter.streamInfer(...call);
        const next = async () => {
          const step = await inner.next();
          return step.value?.type === 'token' ? step : { done: true as const, value: undefined };
        };
        return { next, [Symbol.asyncIterator]: () => inner };
      },
    };
    const endpoint = { name: 'broken', backendKind: 'broken', baseUrl: 'file:///broken' };
    const provider = new AdapterProvider({ name: 'broken', adapter: endless, endpoint });
    const gateway = new LLMGateway(getSettings({}), { providers: { llamaserver: provider } });
    await expect(gateway.complete({ prompt: 'Hi' })).rejects.toMatchObject({
      category: 'unknown',
      message: 'provider broken ended its stream without a done event',
    });
    expect(gateway.getStats()).toMatchObject({ failed: 1, inFlight: 0 });
  });
});

const ALL = {
  streaming: true,
  rawPrompt: true,
  tools: true,
  images: true,
  reasoning: true,
  jsonSchema: true,
  seed: true,
};
