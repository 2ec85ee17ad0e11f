import { Limiter, MemoryStore } from '@x/avionics';
import { describe, expect, it } from 'vitest';
import { limitRules } from './limit-rules.ts';

const HASH = `sha256:${'0'.repeat(64)}`;

describe('the limits of a configuration', () => {
  it('are a rule for each limit of each key, by its name, and those that stand by themselves', () => {
    const rules = limitRules({
      keys: [
        {
          name: 'a',
          hash: HASH,
          requestsPerMinute: 60,
          tokensPerMinute: 10_000,
          usdPerDay: 5,
          usdPerMonth: 100,
        },
        { name: 'b', hash: HASH, usdPerDay: 0.5 },
        { name: 'c', hash: HASH },
      ],
      limits: [{ name: 'all', scope: 'all', window: 'hour', requests: 1_000 }],
    });
    const key = { scope: 'key', match: 'a' };
    expect(rules).toEqual([
      { ...key, name: 'key:a:rpm', window: 'minute', requests: 60 },
      { ...key, name: 'key:a:tpm', window: 'minute', tokens: 10_000 },
      { ...key, name: 'key:a:day', window: 'day', usd: 5 },
      { ...key, name: 'key:a:month', window: 'month', usd: 100 },
      { ...key, match: 'b', name: 'key:b:day', window: 'day', usd: 0.5 },
      { name: 'all', scope: 'all', window: 'hour', requests: 1_000 },
    ]);
    // What the limiter makes of them is its own to test; here, that it takes them.
    expect(() => new Limiter({ rules, store: new MemoryStore() })).not.toThrow();
  });

  it('are none where there are none', () => {
    expect(limitRules({})).toEqual([]);
  });
});
