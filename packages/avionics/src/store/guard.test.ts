import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { Guard } from './guard.ts';

describe('a guard', () => {
  const log: string[] = [];
  let healthy: boolean;
  let probes: number;
  let ups: number;
  let guard: Guard;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
    log.length = probes = ups = 0;
    healthy = true;
    guard = new Guard({
      name: 'the box',
      remedy: 'start it',
      timeoutMs: 250,
      probeMs: 1_000,
      probe: async () => {
        probes++;
        if (!healthy) throw new Error('still dead');
      },
      reasonOf: cause => (cause as Error).message,
      onUp: () => ups++,
      logger: {
        ...silentLogger,
        warn: message => void log.push(`warn: ${message}`),
        info: message => void log.push(`info: ${message}`),
      },
    });
  });
  afterEach(() => {
    guard.close();
    vi.useRealTimers();
  });

  const hang = () => new Promise<never>(() => {});
  const refuse = async () => {
    throw new Error('refused');
  };

  it('hands through what comes in time', async () => {
    await expect(guard.run(async () => 'fine')).resolves.toBe('fine');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends a call that takes too long, and says after how long', async () => {
    const call = guard.run(hang);
    const outcome = expect(call).rejects.toMatchObject({
      category: 'overloaded',
      code: 'store_failed',
      message: 'the box is down: no answer within 250 ms; start it',
      retryAfterMs: 1_000,
    });
    await vi.advanceTimersByTimeAsync(251);
    await outcome;
  });

  it('refuses without a try while it is down, and logs one line however many calls fail', async () => {
    const calls = Array.from({ length: 100 }, () => guard.run(refuse));
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'store_failed' });
    const never = vi.fn(refuse);
    await expect(guard.run(never)).rejects.toMatchObject({ code: 'store_down' });
    expect(never).not.toHaveBeenCalled();
    expect(log).toEqual(['warn: the box is down: refused']);
  });

  it('opens after a probe that passes, with no call to wake it, and logs that once', async () => {
    await expect(guard.run(refuse)).rejects.toThrow();
    healthy = false;
    await vi.advanceTimersByTimeAsync(3_500);
    expect({ probes, up: guard.up }).toEqual({ probes: 3, up: false });
    healthy = true;
    await vi.advanceTimersByTimeAsync(1_000);
    await expect(guard.run(async () => 'fine')).resolves.toBe('fine');
    expect(log).toEqual(['warn: the box is down: refused', 'info: the box is back after 4000 ms']);
    expect(ups).toBe(1);
  });

  it('does not take a failure that began before for news', async () => {
    let fail: (cause: Error) => void = () => {};
    const old = guard.run(
      () =>
        new Promise((_, reject) => {
          fail = reject;
        }),
      60_000,
    );
    await expect(guard.run(refuse)).rejects.toThrow();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(guard.up).toBe(true);
    fail(new Error('an old story'));
    await expect(old).rejects.toMatchObject({ code: 'store_failed' });
    expect(guard.up).toBe(true);
  });

  it('leaves no timer behind when it is closed while down', async () => {
    await expect(guard.run(refuse)).rejects.toThrow();
    guard.close();
    expect(vi.getTimerCount()).toBe(0);
    await expect(guard.run(refuse)).rejects.toThrow('the connection to the box is closed');
  });
});
