import { AirframeError } from '@x/airframe';
import type { Redis } from 'ioredis';
import type { Script } from './scripts.ts';

/** Longest wait for a TCP or TLS connection, and for any sign of life on it while answers are due, in milliseconds. */
const CONNECT_MS = 5_000;
/** Longest pause between two tries to connect, in milliseconds. */
const MAX_PAUSE_MS = 2_000;
/** What ioredis says of commands without a connection. */
const CONNECTION_LOST = /^(Stream isn't writeable|Connection is closed|Reached the max retries)/;

/** A connection that reconnects by itself, and never sends a command a second time. */
export class RedisConnection {
  /** Host and port, or the socket's path; without credentials. */
  readonly address: string;
  readonly #client: Redis;
  readonly #secrets: readonly string[];
  /** Why the connection was lost, or not made. */
  #trouble: Error | undefined;

  private constructor(client: Redis, address: string, secrets: readonly string[]) {
    this.#client = client;
    this.address = address;
    this.#secrets = secrets;
    client.on('error', error => {
      this.#trouble = error;
    });
    client.on('ready', () => {
      this.#trouble = undefined;
    });
  }

  /** @throws AirframeError when the URL is no good, or ioredis is not installed */
  static async open(url: string): Promise<RedisConnection> {
    const { address, secrets, options } = readUrl(url);
    const Client = await importClient();
    const client = new Client({
      ...options,
      lazyConnect: true,
      connectTimeout: CONNECT_MS,
      socketTimeout: CONNECT_MS,
      // A command that waits for a connection, or is sent again on the next one, would outlive the caller's patience.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: tries => Math.min(50 * 2 ** Math.min(tries, 10), MAX_PAUSE_MS),
    });
    return new RedisConnection(client, address, secrets);
  }

  /** Resolves when commands can be sent; rejects when the first try fails. Further tries follow all the same. */
  connect(): Promise<void> {
    return this.#client.connect();
  }

  get(key: string): Promise<string | null> {
    return this.#client.get(key);
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    await this.#client.set(key, value, 'PX', ttlMs);
  }

  async delete(key: string): Promise<void> {
    await this.#client.del(key);
  }

  async removeFromSet(key: string, member: string): Promise<void> {
    await this.#client.zrem(key, member);
  }

  /** Runs a script by its hash, and sends it where the server does not have it. */
  async run({ sha, source }: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    try {
      return await this.#client.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!String(error).includes('NOSCRIPT')) throw error;
      return this.#client.eval(source, keys.length, ...keys, ...args);
    }
  }

  /** A failed command in words: the trouble with the connection, where there is one. Never holds credentials. */
  reasonOf(cause: unknown): string {
    const error = this.#client.status === 'ready' ? cause : (this.#trouble ?? cause);
    // `localhost` is tried at all its addresses, and fails with all their errors.
    const first = error instanceof AggregateError ? error.errors[0] : error;
    let text = first instanceof Error ? first.message : String(first);
    if (CONNECTION_LOST.test(text)) text = 'the connection was lost';
    for (const secret of this.#secrets) text = text.replaceAll(secret, '***');
    return text;
  }

  close(): void {
    this.#client.disconnect();
  }
}

async function importClient(): Promise<typeof Redis> {
  try {
    return (await import('ioredis')).Redis;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    const text =
      'the Redis store needs the package ioredis, which is not installed; run: npm install ioredis';
    throw new AirframeError('not_found', text, { code: 'package_missing', cause });
  }
}

interface Target {
  address: string;
  secrets: string[];
  options: Options;
}

interface Options {
  host?: string;
  port?: number;
  path?: string;
  tls?: object;
  username?: string;
  password?: string;
  db?: number;
}

const PROTOCOL = /^(?:(redis|valkey)(s?)|unix):$/;

/** `redis[s]://`, `valkey[s]://` with user, password, host, port and `/db`; `unix:///path` with `?db=`. */
function readUrl(text: string): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const protocol = PROTOCOL.exec(url?.protocol ?? '');
  const db = url?.protocol === 'unix:' ? (url.searchParams.get('db') ?? '') : (url?.pathname.slice(1) ?? '');
  if (!url || !protocol || !/^\d*$/.test(db)) {
    // The text is not repeated: it may hold a password.
    throw new AirframeError('invalid_request', 'the URL of the Redis store is wrong', {
      code: 'configuration',
      remedy: 'correct REDIS_URL, e.g. redis://127.0.0.1:6379/0 or unix:///run/redis.sock',
    });
  }
  const [username, password] = [url.username, url.password].map(decodeURIComponent);
  const options: Options = {
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(db ? { db: Number(db) } : {}),
  };
  const secrets = [url.password, password ?? ''].filter(secret => secret !== '');
  if (url.protocol === 'unix:') {
    return { address: url.pathname, secrets, options: { ...options, path: url.pathname } };
  }
  const host = url.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1';
  const port = Number(url.port) || 6379;
  const tls = protocol[2] ? { tls: {} } : {};
  return { address: `${host}:${port}`, secrets, options: { ...options, ...tls, host, port } };
}
