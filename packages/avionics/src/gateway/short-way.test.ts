import { setTimeout as sleep } from 'node:timers/promises';
import {
  AirframeError,
  type InferenceRequest,
  type InferenceStream,
  type InferenceStreamEvent,
} from '@x/airframe';
import { describe, expect, it, vi } from 'vitest';
import { Limiter } from '../limits/limiter.ts';
import type { RouteDecision, RouteInferOptions } from '../nodes/node-tries.ts';
import { LLMProvider } from '../providers/base.ts';
import { MockProvider, type MockProviderOptions } from '../providers/mock.ts';
import { getSettings } from '../settings/settings.ts';
import { MemoryStore } from '../store/memory.ts';
import type { Store } from '../store/store.ts';
import { LLMGateway, type LLMGatewayOptions } from './gateway.ts';
import type { CompletionRequest } from './request.ts';
import { mockedGateway, readAll } from './test-gateway.ts';

type Script = NonNullable<MockProviderOptions['responses']>;

const lost = new AirframeError('connection', 'the line broke');
const refused = new AirframeError('invalid_request', 'no such thing', { status: 400 });

/** What a call may come to: of the first provider, and of the one behind it. */
const SCRIPTS: Record<string, { main: Script; backup?: Script; request?: Partial<CompletionRequest> }> = {
  'an answer': { main: ['one two three'] },
  'an answer without a word': { main: [''] },
  'several answers': { main: ['one', 'two words', 'three more words'] },
  'a failure': { main: [{ error: lost }] },
  'a failure, and another provider': { main: [{ error: lost }], backup: ['from behind'] },
  'two failures': { main: [{ error: lost }], backup: [{ error: lost }] },
  'a refusal': { main: [{ error: refused }], backup: ['never asked'] },
  'an answer that breaks off': { main: [{ chunks: ['a', ' b'], error: lost }], backup: ['c'] },
  'one that is begun anew': {
    main: [{ chunks: ['a', ' b'], error: lost }],
    backup: ['c d'],
    request: { midStream: 'restart' },
  },
  'one that is gone on with': {
    main: [{ chunks: ['a', ' b'], error: lost }],
    backup: [' c d'],
    request: { midStream: 'continue' },
  },
  'one that is too late': { main: [{ delayMs: 60_000, text: 'late' }], request: { deadlineMs: 20 } },
};

/** Nothing of it is known in advance, and of two calls it is never the same. */
const TIMES = new Set([
  ...['latencyMs', 'timestamp', 'requestId', 'startedAt', 'durationMs', 'totalMs', 'firstTokenMs'],
  ...['firstOutputMs', 'averageLatencyMs', 'resetsAt', 'retryInMs'],
]);

function timeless(value: unknown): unknown {
  const told = (held: unknown) => (typeof held === 'string' ? held.replace(/\d+ ms/g, 'so many ms') : held);
  return JSON.parse(
    JSON.stringify(value, (key, held) => (TIMES.has(key) ? undefined : told(held))) ?? 'null',
  );
}

/** All that can be seen of some calls, one after the other. `tools` of none keep a call off the short way. */
async function seen(
  { main, backup, request = {} }: (typeof SCRIPTS)[string],
  way: 'short' | 'long',
  read: (
    stream: ReturnType<ReturnType<typeof mockedGateway>['gateway']['completeStream']>,
  ) => Promise<unknown>,
) {
  const limiter = new Limiter({
    rules: [{ name: 'all', scope: 'all', window: 'month', usd: 5, requests: 50 }],
  });
  const made = mockedGateway({ main, ...(backup ? { backup } : {}) }, { limiter });
  const calls: unknown[] = [];
  for (let call = 0; call < main.length; call++) {
    const asked = { prompt: 'Say it', ...request, ...(way === 'long' ? { tools: [] } : {}) };
    const stream = made.gateway.completeStream(asked as CompletionRequest);
    const read_ = await read(stream);
    calls.push({ read: read_, progress: stream.progress() });
  }
  const { latencyMs: _, firstTokenMs: __, agents, ...stats } = made.gateway.getStats();
  const asked = [made.main, made.backup].map(({ requests }) => requests.length);
  return timeless({ calls, stats, agents: Object.keys(agents), asked, limits: await limiter.usage() });
}

const READERS: Record<string, Parameters<typeof seen>[2]> = {
  whole: readAll,
  'by polling': async stream => {
    const chunks: unknown[] = [];
    try {
      for (;;) {
        const { value, done } = await stream.next();
        if (done) return { chunks };
        for (let chunk: unknown = value; chunk; chunk = stream.poll()) chunks.push(chunk);
      }
    } catch (error) {
      return { chunks, error };
    }
  },
  'several at once': async stream => {
    const steps = Array.from({ length: 8 }, () => stream.next());
    return Promise.all(steps.map(step => step.catch(error => ({ error }))));
  },
  'up to the first chunk': async stream => {
    for await (const { text } of stream) return text;
    return 'nothing';
  },
};

describe('the short way comes to the same as the long one', () => {
  for (const [name, script] of Object.entries(SCRIPTS)) {
    for (const [how, read] of Object.entries(READERS)) {
      it(`${name}, read ${how}`, async () => {
        const attempt = (way: 'short' | 'long') =>
          seen(script, way, read).catch(error => timeless({ thrown: error }));
        expect(await attempt('short')).toEqual(await attempt('long'));
      });
    }
  }
});

/** A gateway of one provider made for the test, with a mock behind it, and a limit. */
function gatewayOf(
  infer: (request: InferenceRequest, options: RouteInferOptions) => AsyncGenerator<InferenceStreamEvent>,
  options: LLMGatewayOptions = {},
) {
  class Custom extends LLMProvider {
    readonly name = 'custom';
    generate = async () => '';
    healthCheck = async () => true;
    override infer(request: InferenceRequest, inferOptions: RouteInferOptions = {}): InferenceStream {
      const events = infer(request, inferOptions) as AsyncGenerator<InferenceStreamEvent, undefined>;
      return Object.assign(events, { poll: () => undefined }) as unknown as InferenceStream;
    }
  }
  const limiter = new Limiter({ rules: [{ name: 'all', scope: 'all', window: 'month', tokens: 1e6 }] });
  const backup = new MockProvider({ name: 'backup', responses: ['from behind'] });
  const gateway = new LLMGateway(getSettings({}), {
    providers: { llamaserver: new Custom(), backup },
    fallbackProviders: ['backup'],
    limiter,
    ...options,
  });
  return { gateway, limiter, backup };
}

const usage = { promptTokens: 1, completionTokens: 1, totalTokens: 2, source: 'reported' } as const;
const done = { type: 'done', finishReason: 'stop', usage, timings: { totalMs: 1 }, attempts: [] } as const;

describe('what is out of the ordinary', () => {
  it('is a provider that throws: the next one answers', async () => {
    // biome-ignore lint/correctness/useYield: it fails before it has anything to give
    const { gateway, limiter } = gatewayOf(async function* () {
      throw new Error('boom');
    });
    expect((await gateway.complete({ prompt: 'x' })).text).toBe('from behind');
    expect(gateway.getStats()).toMatchObject({ inFlight: 0, succeeded: 1, fallbacks: 1 });
    expect(await limiter.usage()).toMatchObject([{ reserved: 0 }]);
  });

  it('is one that throws behind its first output: the call has failed', async () => {
    const { gateway, limiter } = gatewayOf(async function* () {
      yield { type: 'token', text: 'a' };
      throw new Error('boom');
    });
    const { text, error } = await readAll(gateway.completeStream({ prompt: 'x' }));
    expect({ text, error }).toMatchObject({ text: 'a', error: { category: 'unknown', message: 'boom' } });
    expect(gateway.getStats()).toMatchObject({ inFlight: 0, failed: 1 });
    expect(await limiter.usage()).toMatchObject([{ reserved: 0 }]);
  });

  it('is a circuit that is half open: one call probes, and opens it again when it fails', async () => {
    const { gateway, main } = mockedGateway(
      { main: [{ error: lost }], backup: ['from behind'] },
      { breaker: { failures: 1, openMs: 20 } },
    );
    await gateway.complete({ prompt: 'x' });
    await sleep(25);
    const probes = await Promise.all([1, 2, 3].map(() => gateway.complete({ prompt: 'x' })));
    expect(probes.map(({ text }) => text)).toEqual(Array(3).fill('from behind'));
    expect(main.requests).toHaveLength(2);
    await gateway.complete({ prompt: 'x' });
    expect(main.requests).toHaveLength(2);
  });

  it('are figures that make no sense: the answer comes all the same', async () => {
    const absurd = { ...usage, completionTokens: 1e300, totalTokens: 1e300 };
    const { gateway, limiter } = gatewayOf(async function* () {
      yield { type: 'token', text: 'a' };
      yield { ...done, usage: absurd };
    });
    expect((await gateway.complete({ prompt: 'x' })).text).toBe('a');
    expect(await limiter.usage()).toMatchObject([{ reserved: 0 }]);
  });

  it('is thinking that the consumer does not get: a restart behind it shows no seam', async () => {
    const { gateway } = gatewayOf(
      async function* () {
        yield { type: 'reasoning', text: 'hm' };
        yield { type: 'error', error: lost };
        yield done;
      },
      { midStream: 'restart' },
    );
    const { chunks } = await readAll(gateway.completeStream({ prompt: 'x' }));
    expect(chunks.filter(({ seam }) => seam)).toEqual([]);
    expect(chunks.at(-1)?.response?.text).toBe('from behind');
  });
});

describe('on the short way', () => {
  it('nodes are told, with the response as on the way to it', async () => {
    const route = { node: 'n1', attempt: 1, reasons: { waitedMs: 0 } } as unknown as RouteDecision;
    const { gateway } = gatewayOf(async function* (_, { onRoute }) {
      onRoute?.(route);
      yield { type: 'token', text: 'a' };
      yield done;
    });
    const stream = gateway.completeStream({ prompt: 'x' });
    const { chunks } = await readAll(stream);
    expect(chunks.at(-1)?.response?.metadata.routes).toEqual([route]);
    expect(stream.progress()?.routes).toEqual([route]);
  });

  it('a provider has a real signal, which fires when the consumer leaves', async () => {
    let seen: AbortSignal | undefined;
    const { gateway } = gatewayOf(async function* (_, { signal }) {
      seen = signal;
      yield { type: 'token', text: 'a' };
      if (!signal?.aborted) await new Promise(resolve => signal?.addEventListener('abort', resolve));
      yield { type: 'error', error: new AirframeError('aborted', 'left') };
      yield done;
    });
    for await (const _ of gateway.completeStream({ prompt: 'x' })) break;
    expect(seen).toBeInstanceOf(AbortSignal);
    expect(seen?.aborted).toBe(true);
    expect(gateway.getStats()).toMatchObject({ stopped: 1, inFlight: 0 });
  });

  it('nothing is asked for a stream that was closed before it was read', async () => {
    const { gateway, main } = mockedGateway({ main: ['a'] });
    const stream = gateway.completeStream({ prompt: 'x' });
    await stream.return?.();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(main.requests).toEqual([]);
    expect(gateway.getStats()).toMatchObject({ requests: 0 });
  });
});

it('an answer from the cache ends where its consumer leaves it', async () => {
  const told: string[] = [];
  const { gateway } = mockedGateway(
    { main: ['a b c'] },
    { cache: { ttlMs: 60_000 }, streamingCallback: ({ text }) => told.push(text) },
  );
  await readAll(gateway.completeStream({ prompt: 'x' }));
  told.length = 0;
  for await (const _ of gateway.completeStream({ prompt: 'x' })) break;
  expect(told).toHaveLength(1);
  expect(gateway.getStats()).toMatchObject({ succeeded: 1, stopped: 1 });
});

describe('limits that are kept elsewhere', () => {
  /** Of this process, and not known to be. */
  function elsewhere(): { store: Store; counts: { asked: number; settled: number } } {
    const inner = new MemoryStore();
    const counts = { asked: 0, settled: 0 };
    const store: Partial<Store> = {
      reserve: request => {
        counts.asked++;
        return inner.reserve(request);
      },
      settle: async settlement => {
        await new Promise(resolve => setTimeout(resolve, 5));
        counts.settled++;
        await inner.settle(settlement);
      },
      usage: windows => inner.usage(windows),
    };
    return { store: store as Store, counts };
  }

  const rules = [{ name: 'all', scope: 'all' as const, window: 'month' as const, requests: 2 }];

  it('have the call booked before its last chunk, and are asked once when they object', async () => {
    const { store, counts } = elsewhere();
    const limiter = new Limiter({ rules, store, whenStoreFails: 'closed' });
    const { gateway, main } = mockedGateway({ main: ['a b', 'c', 'd'] }, { limiter });
    for (const text of ['a b', 'c']) {
      for await (const chunk of gateway.completeStream({ prompt: 'x' })) {
        if (!chunk.isFinal) continue;
        expect(chunk.response?.text).toBe(text);
        break;
      }
    }
    expect(counts).toEqual({ asked: 2, settled: 2 });
    await expect(gateway.complete({ prompt: 'x' })).rejects.toMatchObject({ code: 'limit_reached' });
    expect(counts).toEqual({ asked: 3, settled: 2 });
    expect(main.requests).toHaveLength(2);
  });

  it('give back what was taken for a caller who has left meanwhile', async () => {
    const { store } = elsewhere();
    const limiter = new Limiter({ rules, store, whenStoreFails: 'closed' });
    const { gateway } = mockedGateway({ main: ['a'] }, { limiter });
    const stream = gateway.completeStream({ prompt: 'x' });
    const pending = stream.next();
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    await vi.waitFor(async () => expect(await limiter.usage()).toMatchObject([{ reserved: 0 }]));
    expect(gateway.getStats()).toMatchObject({ stopped: 1, inFlight: 0 });
  });
});
