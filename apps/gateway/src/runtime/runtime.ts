import { CostCalculator, Limiter, LLMGateway, readSettings, type Store } from '@x/avionics';
import { KeyRing } from '../auth/keys.ts';
import type { Config } from '../config/schema.ts';
import { defined } from '../defined.ts';
import { Catalog } from './catalog.ts';
import { limitRules } from './limit-rules.ts';
import {
  fingerprint,
  type MadeProvider,
  makeProvider,
  type ProviderTools,
  updateNodes,
} from './providers.ts';
import { warnOfUnpriced } from './unpriced.ts';

/** All that one configuration makes: what a call needs from its beginning to its end. */
export interface Runtime {
  readonly config: Config;
  readonly gateway: LLMGateway;
  readonly catalog: Catalog;
  readonly keys: KeyRing;
  readonly limiter: Limiter;
  readonly costCalculator: CostCalculator;
  readonly providers: ReadonlyMap<string, MadeProvider>;
}

/** What outlives a configuration. */
export interface RuntimeTools extends Omit<ProviderTools, 'costCalculator' | 'store'> {
  /** Where limits are kept. */
  store: Store;
  /** Whether other replicas use the store as well. */
  isShared: boolean;
}

/** What a call may take beyond its time to book what it has used, in milliseconds. */
const RESERVATION_MARGIN_MS = 15_000;

interface Shared {
  made: Promise<MadeProvider>;
  users: number;
}

/**
 * Makes runtimes, and closes what no runtime uses any more. A provider whose configuration has not changed goes from
 * one runtime to the next: its model stays loaded, its nodes keep what is known of them.
 */
export class RuntimeMaker {
  readonly #tools: RuntimeTools;
  readonly #providers = new Map<string, Shared>();

  constructor(tools: RuntimeTools) {
    this.#tools = tools;
  }

  /** @throws AirframeError or SettingsError naming what is wrong; nothing is left behind then */
  async make(config: Config): Promise<{ runtime: Runtime; release(): Promise<void> }> {
    const { logger, store, isShared } = this.#tools;
    const costCalculator = new CostCalculator({ prices: config.prices ?? {}, logger });
    const keys = new KeyRing(config.keys ?? []);
    const catalog = new Catalog(config);
    const limiter = new Limiter({
      rules: limitRules(config),
      store,
      whenStoreFails: config.whenStoreFails ?? 'open',
      // No call lives longer, so only those of a replica that died are given back by it.
      reservationMs: (config.server?.requestTimeout ?? 600) * 1_000 + RESERVATION_MARGIN_MS,
    });
    const used: string[] = [];
    const release = async () => {
      await Promise.all(used.splice(0).map(key => this.#release(key)));
    };
    try {
      const providers = new Map<string, MadeProvider>();
      for (const [name, provider] of Object.entries(config.providers)) {
        const key = fingerprint(name, provider, config.prices);
        used.push(key);
        const made = await this.#retain(key, () =>
          makeProvider(provider, { ...this.#tools, costCalculator, store: isShared ? store : undefined }),
        );
        providers.set(name, made);
      }
      const gateway = new LLMGateway(readSettings({}), {
        logger,
        costCalculator,
        limiter,
        providers: Object.fromEntries([...providers].map(([name, { provider }]) => [name, provider])),
        route: catalog.route,
        ...defined({
          cache: config.cache && { ttlMs: config.cache.ttl * 1_000, store },
          breaker:
            config.breaker &&
            defined({
              failures: config.breaker.failures,
              openMs: config.breaker.open && config.breaker.open * 1_000,
            }),
          breakerStore: isShared ? store : undefined,
        }),
      });
      // Pools in use take their nodes from here on: it comes last, when nothing else can be wrong any more.
      for (const [name, made] of providers) {
        const provider = config.providers[name];
        if (provider) updateNodes(made, provider);
      }
      const runtime = { config, gateway, catalog, keys, limiter, costCalculator, providers };
      warnOfUnpriced(runtime, logger);
      return {
        runtime,
        release: async () => {
          await gateway.close();
          await release();
        },
      };
    } catch (error) {
      await release();
      throw error;
    }
  }

  async #retain(key: string, make: () => Promise<MadeProvider>): Promise<MadeProvider> {
    const shared = this.#providers.get(key) ?? { made: make(), users: 0 };
    shared.users++;
    this.#providers.set(key, shared);
    return shared.made;
  }

  async #release(key: string): Promise<void> {
    const shared = this.#providers.get(key);
    if (!shared || --shared.users > 0) return;
    this.#providers.delete(key);
    // One that could not be made has nothing to close.
    const made = await shared.made.catch(() => undefined);
    // Nobody waits for what is given back behind the last call, and it must not end the process.
    await made
      ?.close()
      .catch(error => this.#tools.logger.warn('a provider could not be closed', { error: String(error) }));
  }
}
