import { AirframeError } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { MemoryCacheStore } from './cache.ts';
import { mockedGateway, readAll } from './test-gateway.ts';

const cache = { ttlMs: 60_000 };
const ask = { prompt: 'x', maxTokens: 9 } as const;

describe('the response cache', () => {
  it('answers an identical request without asking anybody, and says what that saved', async () => {
    const { gateway, main } = mockedGateway({ main: ['one two', 'other'] }, { cache });
    const first = await gateway.complete(ask);
    const second = await gateway.complete({ maxTokens: 9, prompt: 'x' });
    expect(first.metadata.cache).toBe('miss');
    expect(second).toMatchObject({ text: 'one two', costUsd: 0, completionTokens: 2 });
    expect(second.metadata).toMatchObject({
      cache: 'hit',
      savedUsd: first.costUsd,
      billed: { totalTokens: 0 },
    });
    expect(main.requests).toHaveLength(1);
    expect(gateway.getStats()).toMatchObject({
      cacheHits: 1,
      savedUsd: first.costUsd,
      costUsd: first.costUsd,
    });
  });

  it('replays a stream in its pieces', async () => {
    const { gateway } = mockedGateway({ main: [{ chunks: ['a', 'b', 'c'] }] }, { cache });
    const pieces = async () => (await readAll(gateway.completeStream(ask))).chunks.map(chunk => chunk.text);
    expect(await pieces()).toEqual(['a', 'b', 'c', '']);
    expect(await pieces()).toEqual(['a', 'b', 'c', '']);
  });

  it('tells with the first piece of a stream where it comes from', async () => {
    const { gateway } = mockedGateway({ main: [{ chunks: ['a', 'b'], delayMs: 20 }] }, { cache });
    const streams = Array.from({ length: 2 }, () => gateway.completeStream(ask));
    await Promise.all(streams.map(stream => stream.next()));
    expect(streams.map(stream => stream.progress()?.cache)).toEqual(['miss', 'shared']);
    await Promise.all(streams.map(readAll));
    const again = gateway.completeStream(ask);
    await again.next();
    expect(again.progress()?.cache).toBe('hit');
    await again.return?.();
  });

  it('asks once for identical requests at the same time, and all get the stream as it comes', async () => {
    const { gateway, main } = mockedGateway({ main: [{ chunks: ['a', 'b'], delayMs: 20 }] }, { cache });
    const all = await Promise.all(Array.from({ length: 5 }, () => readAll(gateway.completeStream(ask))));
    expect(all.map(({ text }) => text)).toEqual(['ab', 'ab', 'ab', 'ab', 'ab']);
    expect(main.requests).toHaveLength(1);
    const outcomes = all.map(({ chunks }) => chunks.at(-1)?.response?.metadata.cache);
    expect(outcomes.sort()).toEqual(['miss', 'shared', 'shared', 'shared', 'shared']);
  });

  it('does not let others fail with the one they share', async () => {
    const lost = { chunks: ['a', 'b'], chunkDelayMs: 20 };
    const { gateway, main } = mockedGateway({ main: [lost, 'whole'] }, { cache });
    const leader = gateway.completeStream(ask);
    await leader.next();
    const follower = readAll(gateway.completeStream(ask));
    await new Promise(resolve => setTimeout(resolve, 5));
    await leader.return?.();
    const { chunks } = await follower;
    expect(chunks.at(-1)?.response?.text).toBe('whole');
    expect(chunks.some(chunk => chunk.seam?.policy === 'restart')).toBe(true);
    expect(main.requests).toHaveLength(2);
  });

  it('still asks once for all who are left when the one who asked first leaves', async () => {
    const { gateway, main } = mockedGateway({ main: [{ chunks: ['a', 'b'], chunkDelayMs: 20 }] }, { cache });
    const leader = gateway.completeStream(ask);
    await leader.next();
    const followers = Array.from({ length: 9 }, () => readAll(gateway.completeStream(ask)));
    await new Promise(resolve => setTimeout(resolve, 5));
    await leader.return?.();
    const all = await Promise.all(followers);
    expect(main.requests).toHaveLength(2);
    const responses = all.map(({ chunks }) => chunks.at(-1)?.response);
    expect(responses.map(response => response?.text)).toEqual(Array(9).fill('ab'));
    expect(all.map(({ text }) => text)).toEqual(Array(9).fill('aab'));
    expect(all.every(({ chunks }) => chunks.filter(({ seam }) => seam).length === 1)).toBe(true);
    const outcomes = responses.map(response => response?.metadata.cache).sort();
    expect(outcomes).toEqual(['miss', ...Array(8).fill('shared')]);
  });

  it('is not kept past its time by a reader who stops reading', async () => {
    const { gateway, main } = mockedGateway({ main: ['old one', 'new one'] }, { cache: { ttlMs: 1 } });
    await gateway.completeStream(ask).next();
    await new Promise(resolve => setTimeout(resolve, 10));
    expect((await gateway.complete(ask)).text).toBe('new one');
    expect(main.requests).toHaveLength(2);
  });

  it('lets a follower go when it is aborted', async () => {
    const { gateway } = mockedGateway({ main: [{ text: 'late', delayMs: 500 }] }, { cache });
    const leader = gateway.completeStream(ask);
    const pending = leader.next();
    await expect(gateway.complete({ ...ask, signal: AbortSignal.timeout(10) })).rejects.toMatchObject({
      category: 'aborted',
    });
    await expect(gateway.complete({ ...ask, deadlineMs: 10 })).rejects.toMatchObject({ category: 'timeout' });
    await leader.return?.();
    await pending;
  });

  it('keeps neither errors nor cut answers, nor what is not to be kept', async () => {
    const cut = mockedGateway({ main: ['a b c'] }, { cache });
    for (let n = 0; n < 2; n++) await cut.gateway.complete({ prompt: 'x', maxTokens: 1 });
    expect(cut.main.requests).toHaveLength(2);
    const failing = mockedGateway({ main: [new AirframeError('backend', 'x'), 'fine'] }, { cache });
    await failing.gateway.complete(ask).catch(() => {});
    expect((await failing.gateway.complete(ask)).text).toBe('fine');
    const { gateway, main } = mockedGateway({ main: ['a'] }, { cache });
    for (let n = 0; n < 2; n++) await gateway.complete({ ...ask, cache: false });
    expect(main.requests).toHaveLength(2);
  });

  it('tells apart what would be answered differently, and gives objects anew', async () => {
    const { gateway, main } = mockedGateway({ main: ['{"day":"2026-01-02"}'] }, { cache });
    const schema = z.object({ day: z.string().transform(day => new Date(day)) });
    for (let n = 0; n < 2; n++) {
      const { object } = await gateway.complete({ prompt: 'x', schema });
      expect(object).toEqual({ day: new Date('2026-01-02') });
    }
    await gateway.complete({ prompt: 'x' });
    await gateway.complete({ prompt: 'x', seed: 1 });
    expect(main.requests).toHaveLength(3);
  });

  it('tells apart nodes, and schemas that differ in what JSON Schema cannot say', async () => {
    const { gateway, main } = mockedGateway({ main: ['{"n":1}', '{"n":9}', '{"n":8}'] }, { cache });
    const any = z.object({ n: z.number() });
    const large = z.object({ n: z.number().refine(n => n > 5) });
    expect((await gateway.complete({ prompt: 'x', schema: any })).object).toEqual({ n: 1 });
    expect((await gateway.complete({ prompt: 'x', schema: large })).object).toEqual({ n: 9 });
    expect((await gateway.complete({ prompt: 'x', schema: any })).object).toEqual({ n: 9 });
    for (const tag of ['a', 'b']) await gateway.complete({ prompt: 'x', nodeTags: [tag] });
    expect(main.requests).toHaveLength(4);
  });

  it('waits for a store no longer than the caller does, and with an answer not at all', async () => {
    const hangs = () => new Promise<never>(() => {});
    const reading = { get: hangs, set: async () => {} };
    const { gateway } = mockedGateway({ main: ['hi'] }, { cache: { ttlMs: 1_000, store: reading } });
    await expect(gateway.complete({ ...ask, deadlineMs: 10 })).rejects.toMatchObject({
      code: 'total_timeout',
    });
    const signal = AbortSignal.timeout(10);
    await expect(gateway.complete({ ...ask, signal })).rejects.toMatchObject({ category: 'aborted' });
    const stream = gateway.completeStream(ask);
    const pending = stream.next();
    await stream.return?.();
    expect((await pending).done).toBe(true);
    const writing = { get: async () => undefined, set: hangs };
    const other = mockedGateway({ main: ['hi'] }, { cache: { ttlMs: 1_000, store: writing } });
    expect((await other.gateway.complete(ask)).text).toBe('hi');
  });

  it.each(['null', '{}', '1', '{"answered":{"text":"x"}}', 'x'])(
    'takes %s in its store for no answer',
    async value => {
      const store = { get: async () => value, set: async () => {} };
      const { gateway } = mockedGateway({ main: ['hi'] }, { cache: { ttlMs: 1_000, store } });
      expect((await gateway.complete(ask)).text).toBe('hi');
    },
  );

  it('goes on without a store that fails', async () => {
    const down = {
      get: () => Promise.reject(new Error('down')),
      set: () => Promise.reject(new Error('down')),
    };
    const { gateway } = mockedGateway({ main: ['hi'] }, { cache: { ttlMs: 1_000, store: down } });
    expect((await gateway.complete(ask)).text).toBe('hi');
  });
});

describe('MemoryCacheStore', () => {
  it('forgets what is old, and what was used longest ago', async () => {
    const store = new MemoryCacheStore(2);
    await store.set('a', '1', 60_000);
    await store.set('b', '2', 60_000);
    await store.get('a');
    await store.set('c', '3', 60_000);
    expect([await store.get('a'), await store.get('b'), await store.get('c')]).toEqual(['1', undefined, '3']);
    await store.set('d', '4', 0.001);
    await new Promise(resolve => setTimeout(resolve, 2));
    expect(await store.get('d')).toBeUndefined();
  });
});
