// A gateway over scripted upstreams, with all that counts switched on, and what its books say.
import type { RequestRecord } from '@x/console/contract';
import { expect, onTestFinished, vi } from 'vitest';
import { type Script, type ScriptedServer, scriptedServer } from '../../../../test/scripted-server.ts';
import { seen } from '../../../../test/seen.ts';
import { hashOf } from '../../src/auth/keys.ts';
import type { Config, KeyConfig } from '../../src/config/schema.ts';
import { ADMIN, KEY, type RunningGateway, runGateway } from '../running-gateway.ts';
import { get } from './client.ts';

export interface FaultyOptions {
  /** Of the providers. Default openai. */
  type?: 'openai' | 'anthropic';
  /** For all providers; seconds. */
  timeout?: number;
  /** Default 0. */
  maxRetries?: number;
  midStream?: 'fail' | 'continue' | 'restart';
  server?: Config['server'];
  /** Over those of the key. */
  limits?: Partial<KeyConfig>;
  more?: Partial<Config>;
}

export interface FaultyGateway extends RunningGateway {
  upstreams: ScriptedServer[];
}

/** Of the provider of this number. */
export const providerKey = (index: number): string => `sk-secret-of-provider-${index}`;

/**
 * A gateway whose model `fast` has a provider `up<n>` for each entry: a list of scripts that an upstream of its own
 * answers by, or a root of a server.
 */
export async function gatewayOver(
  entries: (Script[] | string)[],
  { type = 'openai', timeout, maxRetries = 0, midStream, server, limits, more = {} }: FaultyOptions = {},
): Promise<FaultyGateway> {
  const upstreams: ScriptedServer[] = [];
  const providers: Config['providers'] = {};
  for (const [index, entry] of entries.entries()) {
    let root = entry;
    if (typeof root !== 'string') {
      const upstream = await scriptedServer(...root);
      onTestFinished(() => upstream.close());
      upstreams.push(upstream);
      root = upstream.url;
    }
    const timing = timeout === undefined ? {} : { timeout };
    const common = { apiKey: providerKey(index), maxRetries, ...timing };
    providers[`up${index}`] =
      type === 'openai' ? { type, baseUrl: `${root}/v1`, ...common } : { type, baseUrl: root, ...common };
  }
  const targets = Object.keys(providers).map(provider => ({ provider, model: 'up-model' }));
  // By the month: a minute may end in the middle of a test.
  const counting = { name: 'counting', scope: 'key' as const, match: 'client', window: 'month' as const };
  const gateway = await runGateway({
    providers,
    models: { fast: { targets, ...(midStream ? { midStream } : {}) } },
    prices: { openai: { 'up-model': { prompt: 1, completion: 2 } } },
    keys: [
      { name: 'client', hash: hashOf(KEY), requestsPerMinute: 1_000, ...limits },
      { name: 'admin', hash: hashOf(ADMIN), admin: true },
    ],
    limits: [{ ...counting, tokens: 100_000_000, usd: 1_000_000 }],
    ...(server ? { server } : {}),
    ...more,
  });
  return { ...gateway, upstreams };
}

/** The record of a call that is over, from the console's log. */
export async function recordOf({ url }: { url: string }, id: unknown): Promise<RequestRecord> {
  return vi
    .waitFor(
      async () => {
        const { text } = await get(`${url}/admin/requests/${id}`, { authorization: `Bearer ${ADMIN}` });
        const record = JSON.parse(text) as RequestRecord;
        expect(record.state).not.toBe('running');
        return record;
      },
      { timeout: 5_000, interval: 10 },
    )
    .then(noted);
}

function noted(record: RequestRecord): RequestRecord {
  const { state, stream, status, error, attempts, latencyMs } = record;
  const outcomes = attempts.map(({ outcome }) => outcome);
  seen({ of: 'record', state, stream, status, category: error?.category, attempts: outcomes, latencyMs });
  return record;
}

/** The newest record, of a call whose client never got its id. */
export async function newestRecord(gateway: RunningGateway): Promise<RequestRecord> {
  return vi.waitFor(
    () => {
      const line = gateway.log().findLast(({ requestId, protocol }) => requestId && protocol);
      expect(line).toBeDefined();
      return recordOf(gateway, line?.['requestId']);
    },
    { timeout: 5_000, interval: 10 },
  );
}

/** Value of a metric, all its labels added up; 0 when there is none. */
export async function metric({ url }: { url: string }, name: string, label = ''): Promise<number> {
  const { text } = await get(`${url}/metrics`);
  const lines = text.split('\n').filter(line => line.startsWith(name) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** What all calls have come to, in prompt and completion tokens, and in US dollars. */
export interface Billed {
  prompt: number;
  completion: number;
  usd: number;
}

/**
 * What the records say that was billed, once the metrics and the limiter say the same and nothing is under way or held.
 */
export async function billed(gateway: RunningGateway, ...records: RequestRecord[]): Promise<Billed> {
  const sum = (of: (record: RequestRecord) => number | undefined) =>
    records.reduce((total, record) => total + (of(record) ?? 0), 0);
  const prompt = sum(({ usage }) => usage?.promptTokens);
  const completion = sum(({ usage }) => usage?.completionTokens);
  const usd = sum(({ costUsd }) => costUsd);
  await vi.waitFor(async () => expect(await metric(gateway, 'gateway_requests_in_flight')).toBe(0));
  expect(await metric(gateway, 'gateway_tokens_total', 'kind="prompt"')).toBe(prompt);
  expect(await metric(gateway, 'gateway_tokens_total', 'kind="completion"')).toBe(completion);
  expect(await metric(gateway, 'gateway_cost_usd_total')).toBeCloseTo(usd, 9);
  const usage = await gateway.app.runtime.limiter.usage();
  const limit = (unit: string) => usage.find(one => one.rule === 'counting' && one.unit === unit);
  for (const { reserved } of usage) expect(reserved).toBe(0);
  expect(limit('tokens')?.spent).toBe(prompt + completion);
  expect(limit('usd')?.spent).toBeCloseTo(usd, 9);
  seen({ of: 'billed', prompt, completion, usd });
  return { prompt, completion, usd };
}
