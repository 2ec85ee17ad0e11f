import { AirframeError } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { Limiter } from '../limits/limiter.ts';
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
});
