import { AirframeError } from '@x/airframe';
import { describe, expect, it, vi } from 'vitest';
import { Limiter, type Reservation } from '../limits/limiter.ts';
import { MockProvider, type MockProviderOptions } from '../providers/mock.ts';
import { getSettings } from '../settings/settings.ts';
import { LLMGateway } from './gateway.ts';
import { mockedGateway, readAll } from './test-gateway.ts';

describe('a gateway with limits', () => {
  it('refuses calls once a budget is spent, and asks no provider', async () => {
    const limiter = new Limiter({
      rules: [{ name: 'planner a day', scope: 'agent', match: 'planner', usd: 0.00005, window: 'day' }],
    });
    const { gateway, main } = mockedGateway({ main: ['one two three'] }, { limiter });
    const call = { prompt: 'Hi', agentName: 'planner', maxTokens: 5 };
    const { costUsd } = await gateway.complete(call);
    expect(costUsd).toBeCloseTo(0.00014, 12);
    await expect(gateway.complete(call)).rejects.toMatchObject({ category: 'quota', code: 'limit_reached' });
    expect(main.requests).toHaveLength(1);
    expect((await limiter.usage())[0]).toMatchObject({ spent: 0.00014, reserved: 0 });
    expect((await gateway.complete({ prompt: 'Hi', agentName: 'writer' })).text).toBe('one two three');
  });

  it('settles what failed and abandoned calls have used', async () => {
    const limiter = new Limiter({
      rules: [{ name: 'team', scope: 'tag', match: 'team', tokens: 1_000_000, window: 'hour' }],
    });
    const broken = { chunks: ['a', 'b'], error: new AirframeError('backend', 'x') };
    const { gateway } = mockedGateway({ main: [broken, { chunks: ['c', 'd', 'e'] }] }, { limiter });
    await readAll(gateway.completeStream({ prompt: 'x', tags: ['team'] }));
    for await (const _ of gateway.completeStream({ prompt: 'x', tags: ['team'] })) break;
    const { totalTokens } = gateway.getStats();
    expect(totalTokens).toBeGreaterThan(3);
    expect((await limiter.usage())[0]).toMatchObject({ spent: totalTokens, reserved: 0 });
  });

  describe('and a dear fallback behind a provider that costs nothing', () => {
    const down = new AirframeError('connection', 'down');
    const free = (responses: MockProviderOptions['responses']) =>
      new MockProvider({ name: 'mock', ...(responses ? { responses } : {}) });

    it('keeps the budget, and goes on with what costs nothing', async () => {
      const limiter = new Limiter({ rules: [{ name: 'day', scope: 'all', window: 'day', usd: 0.01 }] });
      const { backup } = mockedGateway({ backup: ['one two three'] });
      const gatewayOf = (main: MockProvider) =>
        new LLMGateway(getSettings({}), {
          providers: { llamaserver: main, backup },
          fallbackProviders: ['backup'],
          limiter,
        });
      const call = { prompt: 'x', maxTokens: 20 };
      const broken = gatewayOf(free([down]));
      const { costUsd } = await broken.complete(call);
      expect(costUsd).toBeGreaterThan(0.01);
      for (let n = 0; n < 3; n++)
        await expect(broken.complete(call)).rejects.toMatchObject({ problem: 'down' });
      expect(backup.requests).toHaveLength(1);
      expect((await limiter.usage())[0]).toMatchObject({ spent: costUsd, reserved: 0 });
      expect(await gatewayOf(free(['local'])).complete(call)).toMatchObject({
        text: 'local',
        metadata: { skipped: [{ provider: 'backup', reason: 'limit_reached' }] },
      });
    });
  });

  it('waits for its limiter no longer than the caller does, and gives back what comes too late', async () => {
    const released = vi.fn(async () => {});
    let grant = (): void => {};
    const reserve = () =>
      new Promise<Reservation>(resolve => {
        grant = () => resolve({ settle: async () => {}, release: released });
      });
    const { gateway, main } = mockedGateway({ main: ['hi'] }, { limiter: { reserve } });
    const signal = AbortSignal.timeout(10);
    await expect(gateway.complete({ prompt: 'x', deadlineMs: 10 })).rejects.toMatchObject({
      code: 'total_timeout',
    });
    await expect(gateway.complete({ prompt: 'x', signal })).rejects.toMatchObject({ category: 'aborted' });
    await expect(gateway.embed({ input: 'x', deadlineMs: 10 })).rejects.toMatchObject({
      category: 'timeout',
    });
    const stream = gateway.completeStream({ prompt: 'x' });
    const pending = stream.next();
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    grant();
    await vi.waitFor(() => expect(released).toHaveBeenCalledTimes(1));
    expect(main.requests).toHaveLength(0);
    expect(gateway.getStats()).toMatchObject({ failed: 2, stopped: 2, inFlight: 0 });
  });

  it('counts no request that nobody was asked', async () => {
    const limiter = new Limiter({ rules: [{ name: 'r', scope: 'all', window: 'day', requests: 9 }] });
    const { gateway } = mockedGateway({}, { limiter, resourceCallback: () => 'enough' });
    await expect(gateway.complete({ prompt: 'x' })).rejects.toMatchObject({ category: 'quota' });
    expect((await limiter.usage())[0]).toMatchObject({ spent: 0, reserved: 0 });
  });

  it('loses no answer to a backend that counts in fractions', async () => {
    const limiter = new Limiter({ rules: [{ name: 't', scope: 'all', window: 'day', tokens: 900 }] });
    const usage = { promptTokens: 1.5, completionTokens: 2.25 };
    const { gateway } = mockedGateway({ main: [{ text: 'hi', usage }] }, { limiter });
    expect((await gateway.complete({ prompt: 'x' })).text).toBe('hi');
    expect((await limiter.usage())[0]).toMatchObject({ spent: 4, reserved: 0 });
  });
});

describe('an answer of several turns', () => {
  const broken = { chunks: ['a', 'b'], error: new AirframeError('backend', 'x') };
  const limited = (requests: number) =>
    new Limiter({ rules: [{ name: 'few', scope: 'all', window: 'day', requests }] });

  it('is counted turn by turn', async () => {
    const limiter = limited(10);
    const { gateway } = mockedGateway({ main: [broken, 'whole'] }, { limiter, midStream: 'restart' });
    const { text } = await readAll(gateway.completeStream({ prompt: 'x' }));
    expect(text).toBe('abwhole');
    expect((await limiter.usage())[0]).toMatchObject({ spent: 2, reserved: 0 });
  });

  it('ends as it broke off when a limit leaves no room for another turn', async () => {
    const limiter = limited(1);
    const { gateway, main } = mockedGateway({ main: [broken, 'whole'] }, { limiter, midStream: 'restart' });
    const { text, error } = await readAll(gateway.completeStream({ prompt: 'x' }));
    expect(text).toBe('ab');
    expect(error).toMatchObject({ category: 'backend' });
    expect(main.requests).toHaveLength(1);
    expect((await limiter.usage())[0]).toMatchObject({ spent: 1, reserved: 0 });
  });

  it('is not mended when a limit leaves no room for it', async () => {
    const limiter = limited(1);
    const { gateway } = mockedGateway({ main: ['no JSON', '{"a":1}'] }, { limiter });
    const schema = { type: 'object', required: ['a'] };
    await expect(gateway.complete({ prompt: 'x', schema })).rejects.toMatchObject({ code: 'limit_reached' });
  });
});
