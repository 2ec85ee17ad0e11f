import type { LimitRule } from '@x/avionics';
import type { Config } from '../config/schema.ts';

/** What the name of a key's rule ends with. */
type Suffix = 'rpm' | 'tpm' | 'day' | 'month';

/**
 * The limits of the keys, as rules `key:<name>:rpm`, `:tpm`, `:day` and `:month`, and the other limits of the
 * configuration. What a call names as its key has to be the key's name.
 */
export function limitRules({ keys = [], limits = [] }: Pick<Config, 'keys' | 'limits'>): LimitRule[] {
  const ofKeys = keys.flatMap(key => {
    const { name, requestsPerMinute, tokensPerMinute, usdPerDay, usdPerMonth } = key;
    const rule = (suffix: Suffix, limit: Pick<LimitRule, 'window' | 'usd' | 'tokens' | 'requests'>) => ({
      name: `key:${name}:${suffix}`,
      scope: 'key' as const,
      match: name,
      ...limit,
    });
    return [
      ...(requestsPerMinute ? [rule('rpm', { window: 'minute', requests: requestsPerMinute })] : []),
      ...(tokensPerMinute ? [rule('tpm', { window: 'minute', tokens: tokensPerMinute })] : []),
      ...(usdPerDay ? [rule('day', { window: 'day', usd: usdPerDay })] : []),
      ...(usdPerMonth ? [rule('month', { window: 'month', usd: usdPerMonth })] : []),
    ];
  });
  return [...ofKeys, ...limits];
}
