import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activeResources, memoryInUse, until } from '../../../../test/resources.ts';
import type { Adapter } from '../../src/adapter.ts';
import { openAIChatAdapter } from '../../src/adapters/openai-chat/index.ts';
import { withRetry } from '../../src/wrap/retry.ts';
import { type Backend, startBackend } from './backend.ts';

const WARM_UP = 2_500;
const AT_ONCE = 50;

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

interface Subject {
  make(): Adapter;
  /** The model whose answer is read to its end. */
  read: string;
  count: number;
}

const SUBJECTS: Record<string, Subject> = {
  openai_chat: { make: () => openAIChatAdapter() as Adapter, read: 'short', count: 10_000 },
  'withRetry(openai_chat)': {
    make: () => withRetry(openAIChatAdapter() as Adapter),
    read: 'flaky',
    count: 5_000,
  },
};

describe.each(Object.keys(SUBJECTS))('%s', name => {
  const { make, read, count } = SUBJECTS[name] as Subject;

  it(`leaves nothing behind after ${count} streams`, { timeout: 300_000 }, async () => {
    const adapter = make();
    const shared = new AbortController();
    const infer = (seed: number, model: string, signal: AbortSignal) =>
      adapter.streamInfer(backend.endpoint, { model, prompt: 'hi', seed }, { signal });

    /** Read to the end, abandoned, aborted in the middle, aborted before the answer: a third, a third, two sixths. */
    async function stream(index: number): Promise<string | undefined> {
      const way = index % 3;
      const own = new AbortController();
      const silent = way === 2 && index % 2 === 0;
      if (silent) setTimeout(() => own.abort(), 1);
      const model = way === 0 ? read : silent ? 'silent' : 'endless';
      let tokens = 0;
      for await (const event of infer(index, model, way === 2 ? own.signal : shared.signal)) {
        if (event.type === 'done') return event.finishReason;
        if (event.type === 'token' && ++tokens === 3 && way === 1) break;
        if (tokens === 3 && way === 2) own.abort();
      }
      return undefined;
    }
    async function streams(total: number): Promise<void> {
      let index = 0;
      const worker = async () => {
        while (index < total) {
          const way = index % 3;
          expect(await stream(index++)).toBe(['stop', undefined, 'aborted'][way]);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    }

    await streams(WARM_UP);
    const before = await settled();
    await streams(count);
    const after = await settled();
    expect(getEventListeners(shared.signal, 'abort')).toHaveLength(0);
    expect(after.timers).toBeLessThanOrEqual(before.timers);
    expect(after.memory).toBeLessThan(before.memory * 1.05);
    await adapter.close();
  });
});

/** What is in use once the connections that idle are closed. */
async function settled(): Promise<{ timers: number; memory: number }> {
  await until(async () => activeResources('TCPSocketWrap') === 0 && (await backend.figures()).sockets === 0);
  return { timers: activeResources('Timeout'), memory: memoryInUse() };
}
