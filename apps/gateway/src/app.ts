import type { Socket } from 'node:net';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { AirframeError } from '@x/airframe';
import { loggerOf, MemoryStore, type Store } from '@x/avionics';
import { connectRedisStore } from '@x/avionics/redis';
import type { RequestRecord } from '@x/console/contract';
import type { FastifyInstance } from 'fastify';
import type { Logger as Pino } from 'pino';
import { InFlight } from './calls/gauge.ts';
import type { RecordSink } from './calls/recorder.ts';
import { UnderWay } from './calls/under-way.ts';
import type { Config } from './config/schema.ts';
import { ConsoleSide } from './console-side.ts';
import { circuitsOf, fixedLimitsOf, nodesOf, waitingIn } from './live-facts.ts';
import { AccessLog } from './observe/log.ts';
import { Metrics } from './observe/metrics.ts';
import { GATEWAY_CODES } from './protocols/status.ts';
import type { ServerParts, Stoppable } from './routes/parts.ts';
import { LiveRuntime } from './runtime/live.ts';
import { type Runtime, RuntimeMaker, type RuntimeTools } from './runtime/runtime.ts';
import { createServer, DEFAULT_HOST } from './server.ts';
import { withinMs } from './within.ts';

export interface AppOptions extends Pick<RuntimeTools, 'env' | 'onLoadProgress'> {
  config: Config;
  log: Pino;
  /** Folder that relative paths of the configuration start from. */
  baseDir: string;
  version: string;
}

/** What calls that are stopped at the end of the grace time may take to tell their clients, in milliseconds. */
const LAST_WORDS_MS = 2_000;

/** The gateway, listening. */
export class App implements RecordSink {
  readonly #log: Pino;
  readonly #store: Store;
  readonly #inFlight = new InFlight();
  readonly #exchanges = new UnderWay<Stoppable>();
  readonly #sockets = new Set<Socket>();
  readonly #access: AccessLog;
  readonly #metrics: Metrics;
  readonly #live: LiveRuntime;
  readonly #console: ConsoleSide;
  #server: FastifyInstance | undefined;
  #draining = false;

  private constructor(options: AppOptions, store: Store, live: LiveRuntime) {
    const { log, version } = options;
    this.#log = log;
    this.#store = store;
    this.#live = live;
    this.#access = new AccessLog(log);
    this.#metrics = new Metrics({
      version,
      inFlight: () => this.#inFlight.count,
      waiting: () => waitingIn(this.#live.current),
      circuits: () => circuitsOf(this.#live.current),
      nodes: () => nodesOf(this.#live.current),
      limits: () => fixedLimitsOf(this.#live.current),
    });
    this.#console = new ConsoleSide(live, this.#inFlight, version);
  }

  /** @throws AirframeError, SettingsError or a system error (EADDRINUSE) when it cannot be started */
  static async start(options: AppOptions): Promise<App> {
    const { config, log, ...tools } = options;
    const logger = loggerOf(log as never);
    const store = config.redis
      ? await connectRedisStore(config.redis.url, {
          logger,
          ...(config.redis.prefix ? { prefix: config.redis.prefix } : {}),
        })
      : new MemoryStore();
    const maker = new RuntimeMaker({ ...tools, logger, store, isShared: config.redis !== undefined });
    let live: LiveRuntime | undefined;
    try {
      live = await LiveRuntime.start(maker, config);
      const app = new App(options, store, live);
      await app.#listen(config);
      return app;
    } catch (error) {
      await live?.close();
      await store.close();
      throw error;
    }
  }

  /** Root of the server, e.g. `http://127.0.0.1:8787`. */
  get url(): string {
    const address = this.#server?.server.address();
    if (typeof address !== 'object' || !address) return '';
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  get runtime(): Runtime {
    return this.#live.current;
  }

  record(record: RequestRecord): void {
    this.#metrics.record(record);
    this.#console.record(record);
    if (this.#live.current.config.log?.access !== false) this.#access.record(record);
  }

  /**
   * Puts another configuration in place; calls under way go on with the one they began with.
   * @throws AirframeError or SettingsError when it cannot be used; the one before stays
   */
  async reload(config: Config): Promise<void> {
    const before = this.#live.current.config;
    await this.#live.swap(config);
    this.#metrics.reloaded('ok');
    if (config.log?.level !== before.log?.level) this.#log.level = config.log?.level ?? 'info';
    const fields = PARTS.flatMap(part => changedIn(part, before[part], config[part]));
    if (fields.length > 0) this.#log.warn({ fields }, 'what has changed there holds from the next start on');
  }

  /** A configuration was no good, or could not be put in place. */
  reloadRefused(): void {
    this.#metrics.reloaded('refused');
  }

  /**
   * Takes no more calls, lets those under way end within the grace time, tells the others why they end, and gives all back.
   * Until then it listens, and says that it goes down: a balancer that has not heard of it yet gets an answer to go by.
   * @param graceMs default: `server.drain`
   */
  async stop(graceMs?: number): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    const grace = graceMs ?? (this.#live.current.config.server?.drain ?? 30) * 1_000;
    const graceEnd = performance.now() + grace;
    const { count } = this.#inFlight;
    this.#log.info({ inFlight: count, graceMs: grace }, 'going down');
    await withinMs(this.#inFlight.idle(), grace);
    const late = this.#exchanges.all();
    if (late.length > 0)
      this.#log.warn({ calls: late.length }, 'the grace time is over; calls under way are ended');
    for (const exchange of late) exchange.stop(goingDown());
    await withinMs(this.#inFlight.idle(), LAST_WORDS_MS);
    // Node's own close would cut off clients that have yet to read what has been said.
    await withinMs(allSent(this.#sockets), Math.max(LAST_WORDS_MS, graceEnd - performance.now()));
    this.#console.close();
    const closing = this.#server?.close();
    this.#server?.server.closeAllConnections();
    await closing;
    await this.#live.close();
    await this.#store.close();
    this.#log.info('down');
  }

  async #listen({ server = {}, console }: Config): Promise<void> {
    const parts: ServerParts = {
      live: this.#live,
      inFlight: this.#inFlight,
      records: this,
      metrics: this.#metrics,
      log: this.#log,
      exchanges: this.#exchanges,
      draining: () => this.#draining,
    };
    this.#server = await createServer(parts, server);
    this.#server.server.on('connection', socket => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    if (console?.enabled !== false) await this.#console.register(this.#server);
    await this.#server.listen({ host: server.host ?? DEFAULT_HOST, port: server.port ?? 8_787 });
  }
}

/** Parts of a configuration with fields that only a new start can change. */
const PARTS = ['redis', 'server', 'console'] as const;

/** What each call looks up for itself. */
const BY_CALL: ReadonlySet<string> = new Set([
  ...['requestTimeout', 'keepAlive', 'writeTimeout', 'drain', 'maxConcurrent', 'forwardHeaders'],
  'capture',
]);

/** Names of the fields that are others than before, and that only a new start can change. */
function changedIn(part: string, before: object = {}, after: object = {}): string[] {
  const [old, next] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...old.keys(), ...next.keys()])]
    .filter(name => !BY_CALL.has(name) && !isDeepStrictEqual(old.get(name), next.get(name)))
    .map(name => `${part}.${name}`);
}

function goingDown(): AirframeError {
  return new AirframeError('overloaded', 'the gateway went down before the answer was whole', {
    code: GATEWAY_CODES.draining,
    retryAfterMs: 1_000,
    remedy: 'send the call again',
  });
}

async function allSent(sockets: ReadonlySet<Socket>): Promise<void> {
  // What was said in this turn of the event loop is written at its end.
  await immediate();
  while ([...sockets].some(({ writableLength }) => writableLength > 0)) await sleep(20);
}
