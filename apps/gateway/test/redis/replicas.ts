// Two gateways on one real Redis, each a process of its own, over one scripted upstream.
import { Limiter, type LimitUsage } from '@x/avionics';
import { connectRedisStore } from '@x/avionics/redis';
import { onTestFinished } from 'vitest';
import { type RealRedis, startRedis } from '../../../../test/real-redis.ts';
import { type Script, type ScriptedServer, scriptedServer } from '../../../../test/scripted-server.ts';
import type { Config } from '../../src/config/schema.ts';
import { limitRules } from '../../src/runtime/limit-rules.ts';
import { type GatewayProcess, startGatewayProcess } from '../gateway-process.ts';
import { KEY, TEST_KEYS } from '../running-gateway.ts';

export interface Replicas {
  redis: RealRedis;
  upstream: ScriptedServer;
  gateways: [GatewayProcess, GatewayProcess];
  /** What Redis says of the limits, asked by a third party. */
  usage(): Promise<LimitUsage[]>;
}

/** Limits of the key {@link KEY}. */
type KeyLimits = Pick<NonNullable<Config['keys']>[number], 'usdPerDay' | 'requestsPerMinute'>;

/**
 * @param script of the upstream, which is the provider `up` of the model `fast`: a cent for a token
 * @param more beside the configuration, `withoutRedis`: Redis is killed before they start
 */
export async function startReplicas(
  script: Script,
  { keyLimits = {}, providers = {}, withoutRedis = false, ...more }: More = {},
): Promise<Replicas> {
  const redis = await startRedis({ durable: true });
  onTestFinished(() => redis.stop());
  const upstream = await scriptedServer(script);
  onTestFinished(() => upstream.close());
  const config = {
    redis: { url: redis.url },
    providers: { up: { type: 'openai', baseUrl: `${upstream.url}/v1`, maxRetries: 0 }, ...providers },
    models: { fast: { targets: [{ provider: 'up', model: 'm' }] } },
    prices: { openai: { m: { prompt: 10, completion: 10 } } },
    keys: TEST_KEYS.map(key => (key.name === 'client' ? { ...key, ...keyLimits } : key)),
    ...more,
  } satisfies Config;
  if (withoutRedis) await redis.kill();
  const gateways = await Promise.all([startGatewayProcess(config), startGatewayProcess(config)]);
  const store = await connectRedisStore(redis.url, { probeMs: 100 });
  onTestFinished(() => store.close());
  const limiter = new Limiter({ rules: limitRules(config), store, whenStoreFails: 'closed' });
  return { redis, upstream, gateways, usage: () => limiter.usage() };
}

type More = Partial<Config> & { keyLimits?: KeyLimits; withoutRedis?: boolean };

export interface Answer {
  status: number;
  headers: Headers;
  body: string;
}

/** Asks a gateway. @throws when it is not there, or goes */
export async function ask({ url }: GatewayProcess, body: object = {}): Promise<Answer> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'fast',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'Hi' }],
      ...body,
    }),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.text() };
}
