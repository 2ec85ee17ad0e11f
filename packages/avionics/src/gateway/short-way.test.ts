import { AirframeError } from '@x/airframe';
import { describe, expect, it, vi } from 'vitest';
import { Limiter } from '../limits/limiter.ts';
import type { MockProviderOptions } from '../providers/mock.ts';
import { MemoryStore } from '../store/memory.ts';
import type { Store } from '../store/store.ts';
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
