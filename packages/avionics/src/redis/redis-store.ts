import type { AirframeError } from '@x/airframe';
import { type Logger, loggerOf } from '../logger.ts';
import { Guard } from '../store/guard.ts';
import {
  type Charge,
  type ClaimReply,
  isStoreError,
  type ReserveReply,
  type ReserveRequest,
  type Settlement,
  STORE_FAILED,
  type Store,
  type WindowLength,
  type WindowState,
} from '../store/store.ts';
import { monthStart } from '../store/windows.ts';
import { RedisConnection } from './connection.ts';
import { CLAIM, HELD, PROBE, RENEW, RESERVE, type Script, SETTLE, USAGE } from './scripts.ts';
import { Settlements } from './settlements.ts';

/** What {@link RedisStore} takes beside the client. */
export interface RedisStoreOptions {
  /** Before each key. Default `airframe:`. */
  prefix?: string;
  /** Longest a call may take, in milliseconds. Default 250. */
  timeoutMs?: number;
  /** While Redis is down: milliseconds between two probes. Default 1,000. */
  probeMs?: number;
  logger?: Logger;
}

/** Longest wait for the first connection, in milliseconds. */
const START_MS = 2_000;
/** How long Redis knows that a reservation is settled, in milliseconds. */
const REMEMBER_MS = 3_600_000;
/** Settlements on their way at once, after an outage. */
const FLUSH_SIZE = 100;

/**
 * Connects to Redis 5 or newer, or to Valkey. When it does not answer at once the store begins as down.
 *
 * Budgets live as long as Redis keeps its data: it needs persistence (`appendonly yes`) to hold them over its own
 * restart, and `maxmemory-policy noeviction`.
 * @param url `redis[s]://[user:password@]host[:port][/db]`, the same with `valkey`, or `unix:///path[?db=]`
 * @throws AirframeError when the URL is wrong, or the package ioredis is missing
 */
export async function connectRedisStore(url: string, options: RedisStoreOptions = {}): Promise<RedisStore> {
  const store = new RedisStore(await RedisConnection.open(url), options);
  await store.start();
  return store;
}

/** A store that processes share. Made by {@link connectRedisStore}. */
export class RedisStore implements Store {
  readonly #redis: RedisConnection;
  readonly #guard: Guard;
  readonly #prefix: string;
  readonly #logger: Logger;
  readonly #unsettled = new Settlements(REMEMBER_MS);
  readonly #settling = new Set<Promise<void>>();

  constructor(redis: RedisConnection, options: RedisStoreOptions = {}) {
    const { prefix = 'airframe:', timeoutMs = 250, probeMs = 1_000 } = options;
    const logger = loggerOf(options.logger);
    this.#redis = redis;
    this.#prefix = prefix;
    this.#logger = logger;
    this.#guard = new Guard({
      name: `Redis at ${redis.address}`,
      remedy: 'start it, or correct REDIS_URL',
      timeoutMs,
      probeMs,
      probe: () => redis.run(PROBE, [`${prefix}probe`], []),
      reasonOf: cause => redis.reasonOf(cause),
      onUp: () => void this.#settleRest(),
      logger,
    });
  }

  /** Whether calls are being carried out, as far as is known. */
  get up(): boolean {
    return this.#guard.up;
  }

  /** Waits for the first connection, for two seconds at most. */
  async start(): Promise<void> {
    await this.#guard.run(() => this.#redis.connect(), START_MS).catch(() => {});
  }

  async reserve({ id, charges, ttlMs }: ReserveRequest): Promise<ReserveReply> {
    const args = charges.flatMap(({ limit, amount, window }) => [limit, amount, windowText(window)]);
    const reply = await this.#script(RESERVE, this.#windowKeys(id, charges), [id, ttlMs, ...args]);
    const [granted, now = 0, ...windows] = reply as number[];
    return { granted: granted === 1, now, windows: windowsOf(windows) };
  }

  async settle(settlement: Settlement): Promise<void> {
    const settling = this.#settle(settlement);
    this.#settling.add(settling);
    await settling;
    this.#settling.delete(settling);
  }

  async usage(windows: readonly Pick<Charge, 'key' | 'window'>[]): Promise<WindowState[]> {
    const keys = windows.flatMap(({ key }) => this.#pair(key));
    const args = windows.map(({ window }) => windowText(window));
    return windowsOf((await this.#script(USAGE, keys, args)) as number[]);
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#guard.run(() => this.#redis.get(this.#valueKey(key)))) ?? undefined;
  }

  set(key: string, value: string, ttlMs: number): Promise<void> {
    return this.#guard.run(() => this.#redis.set(this.#valueKey(key), value, ttlMs));
  }

  delete(key: string): Promise<void> {
    return this.#guard.run(() => this.#redis.delete(this.#valueKey(key)));
  }

  async claim(key: string, capacity: number, holder: string, ttlMs: number): Promise<ClaimReply> {
    const reply = await this.#script(CLAIM, [this.#claimKey(key)], [capacity, holder, ttlMs]);
    const [granted, held = 0] = reply as number[];
    return { granted: granted === 1, held };
  }

  async renew(key: string, holder: string, ttlMs: number): Promise<void> {
    await this.#script(RENEW, [this.#claimKey(key)], [holder, ttlMs]);
  }

  release(key: string, holder: string): Promise<void> {
    return this.#guard.run(() => this.#redis.removeFromSet(this.#claimKey(key), holder));
  }

  async held(key: string): Promise<number> {
    return (await this.#script(HELD, [this.#claimKey(key)], [])) as number;
  }

  /** Waits for settlements on their way, which are bounded as all calls are, and disconnects. */
  async close(): Promise<void> {
    await Promise.all(this.#settling);
    this.#guard.close();
    this.#redis.close();
    const lost = this.#unsettled.size + this.#unsettled.dropped;
    if (lost > 0) this.#logger.warn(`calls never booked at Redis: ${lost}`, { lost });
  }

  /** Books it, or puts it away for later. */
  async #settle(settlement: Settlement, sentAt?: number): Promise<void> {
    const { id, charges } = settlement;
    const args = charges.flatMap(({ startsAt, endsAt, amount }) => [startsAt, endsAt, amount]);
    try {
      await this.#script(SETTLE, this.#windowKeys(id, charges), [id, REMEMBER_MS, ...args]);
    } catch (error) {
      const maybeSent = (error as AirframeError).code === STORE_FAILED ? Date.now() : undefined;
      if (isStoreError(error)) this.#unsettled.add(settlement, sentAt ?? maybeSent);
    }
  }

  /** Books what was put away while Redis was down. */
  async #settleRest(): Promise<void> {
    const batch = this.#unsettled.take(FLUSH_SIZE);
    await Promise.all(batch.map(({ settlement, sentAt }) => this.#settle(settlement, sentAt)));
    if (this.#guard.up && this.#unsettled.size > 0) await this.#settleRest();
  }

  #script(script: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    return this.#guard.run(() => this.#redis.run(script, keys, args));
  }

  #windowKeys(id: string, charges: readonly { key: string }[]): string[] {
    return [`${this.#prefix}settled:${id}`, ...charges.flatMap(({ key }) => this.#pair(key))];
  }

  #pair(key: string): string[] {
    return [`${this.#prefix}window:${key}`, `${this.#prefix}pending:${key}`];
  }

  #valueKey(key: string): string {
    return `${this.#prefix}value:${key}`;
  }

  #claimKey(key: string): string {
    return `${this.#prefix}claim:${key}`;
  }
}

/** A window for the scripts, which know no calendar: months are told by their edges. */
function windowText(window: WindowLength): string | number {
  if (window !== 'month') return window;
  return [-1, 0, 1, 2].map(ahead => monthStart(Date.now(), ahead)).join(',');
}

function windowsOf(numbers: readonly number[]): WindowState[] {
  const windows: WindowState[] = [];
  for (let at = 0; at < numbers.length; at += 4) {
    const [startsAt = 0, endsAt = 0, spent = 0, held = 0] = numbers.slice(at, at + 4);
    windows.push({ startsAt, endsAt, spent, held });
  }
  return windows;
}
