import { randomUUID } from 'node:crypto';
import type { LimitUsage } from '@x/avionics';
import type { Budget, Hello, ModelEntry, RequestRecord } from '@x/console/contract';
import type { FastifyInstance } from 'fastify';
import { consoleRoutes } from './admin/console-routes.ts';
import { Feed } from './admin/feed.ts';
import { Journal } from './admin/journal.ts';
import { adminRoutes } from './admin/routes.ts';
import { Sampler } from './admin/sampler.ts';
import { authenticate, checkAdmin } from './auth/authenticate.ts';
import type { InFlight } from './calls/gauge.ts';
import type { RecordSink } from './calls/recorder.ts';
import { defined } from './defined.ts';
import { circuitsOf, nodesOf, waitingIn } from './live-facts.ts';
import type { LiveRuntime } from './runtime/live.ts';
import type { Runtime } from './runtime/runtime.ts';

/** The gateway's side of the console: what it keeps for it, and what it tells it. */
export class ConsoleSide implements RecordSink {
  readonly #live: LiveRuntime;
  readonly #journal: Journal;
  readonly #sampler = new Sampler();
  readonly #feed: Feed;

  constructor(live: LiveRuntime, inFlight: InFlight, version: string) {
    this.#live = live;
    this.#journal = new Journal(live.current.config.console?.maxRequests);
    const about = { version, replica: randomUUID().slice(0, 8), startedAt: Date.now() };
    this.#feed = new Feed(
      {
        hello: () => helloOf(live.current, about),
        nodes: () => nodesOf(live.current),
        circuits: () => circuitsOf(live.current),
        budgets: async () => (await live.current.limiter.usage()).map(budgetOf),
        inFlight: () => ({ inFlight: inFlight.count, waiting: waitingIn(live.current) }),
      },
      this.#journal,
      this.#sampler,
    );
  }

  record(record: RequestRecord): void {
    this.#journal.put(record);
    if (record.state !== 'running') this.#sampler.ended(record);
  }

  async register(app: FastifyInstance): Promise<void> {
    await app.register(adminRoutes, {
      feed: this.#feed,
      authenticate: ({ headers }) => checkAdmin(authenticate(this.#live.current.keys, headers)),
    });
    await app.register(consoleRoutes, {});
  }

  close(): void {
    this.#feed.close();
  }
}

function helloOf(runtime: Runtime, about: Pick<Hello, 'version' | 'replica' | 'startedAt'>): Hello {
  const { config, catalog, providers, costCalculator } = runtime;
  return {
    ...about,
    capture: config.console?.capture ?? false,
    providers: [...providers.keys()],
    keys: (config.keys ?? []).map(({ name }) => name),
    models: catalog.entries().map(({ id, targets }): ModelEntry => {
      const typed = targets.map(({ provider, model }) => ({
        provider,
        type: providers.get(provider)?.type ?? 'unknown',
        ...defined({ model }),
      }));
      const [first] = typed;
      const price = first && priceOf(first.provider, first.model);
      return { id, targets: typed, ...defined({ price }) };
    }),
  };

  function priceOf(name: string, model: string | undefined): ModelEntry['price'] {
    const provider = providers.get(name)?.provider;
    const priced = model ?? provider?.defaultModel;
    if (!provider || priced === undefined) return provider?.name.startsWith('llama') ? FREE : undefined;
    const found = costCalculator.calculateCost(provider.name, priced, 1_000, 0);
    if (!found.priced) return undefined;
    return {
      prompt: found.costUsd,
      completion: costCalculator.calculateCost(provider.name, priced, 0, 1_000).costUsd,
    };
  }
}

const FREE = { prompt: 0, completion: 0 };

function budgetOf({ subject, window, ...limit }: LimitUsage): Budget {
  return { ...limit, window: String(window), ...defined({ subject }) };
}
