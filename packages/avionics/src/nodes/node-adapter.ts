import {
  type Adapter,
  AirframeError,
  type EndpointSpec,
  type HealthReport,
  type InferOptions,
  resolveTimeouts,
} from '@x/airframe';
import { defined } from '../providers/options.ts';
import { NodeStream, nodeEndpoint } from './node-stream.ts';
import { NodeTries, outcomeOf, type RouteInferOptions } from './node-tries.ts';
import type { AcquireOptions, NodePool } from './pool.ts';

export interface NodeAdapterOptions {
  /** For calls that name none. */
  agentName?: string | undefined;
  tags?: readonly string[] | undefined;
  /** Tries after the first, before any output; at other nodes as long as there are some. */
  maxRetries: number;
}

/** Longest wait for a node's answer to a health check, in milliseconds. */
const HEALTH_TIMEOUT_MS = 5_000;

/**
 * The nodes of a pool as one backend. Of the endpoint it takes timeouts, options and model; the address is a node's.
 * Closing it leaves the pool open.
 */
export function nodeAdapter(pool: NodePool, defaults: NodeAdapterOptions): Adapter {
  const { adapter } = pool;
  const { embed, countTokens, listModels } = adapter;
  const calls = new NodeCalls(pool, defaults);
  return {
    kind: adapter.kind,
    capabilities: adapter.capabilities,
    streamInfer: (endpoint, request, options = {}) => {
      const model = request.model ?? endpoint.model;
      const tries = calls.tries(Object.assign({}, request, defined({ model })), options);
      return new NodeStream({ adapter, tries, endpoint, request, options });
    },
    health: endpoint => calls.health(endpoint),
    ...(embed && {
      embed: (endpoint, request, options = {}) =>
        calls.inSlot(endpoint, request.model, options, (node, left) =>
          embed.call(adapter, node, request, left),
        ),
    }),
    ...(countTokens && {
      countTokens: (endpoint, request, options = {}) =>
        calls.anywhere(endpoint, request.model, options, node =>
          countTokens.call(adapter, node, request, options),
        ),
    }),
    ...(listModels && {
      listModels: (endpoint, options = {}) =>
        calls.anywhere(endpoint, undefined, options, node => listModels.call(adapter, node, options)),
    }),
    close: async () => {},
  };
}

type Work<T> = (node: EndpointSpec) => Promise<T>;

class NodeCalls {
  readonly #pool: NodePool;
  readonly #defaults: NodeAdapterOptions;

  constructor(pool: NodePool, defaults: NodeAdapterOptions) {
    this.#pool = pool;
    this.#defaults = defaults;
  }

  tries(request: AcquireOptions['request'], options: RouteInferOptions): NodeTries {
    const wanted = { request, ...this.#wantedBy(options) };
    return new NodeTries(this.#pool, wanted, this.#defaults.maxRetries, options.onRoute);
  }

  /** For what keeps a slot busy and answers with one value. The total deadline covers the wait for a slot as well. */
  async inSlot<T>(
    endpoint: EndpointSpec,
    model: string | undefined,
    options: InferOptions,
    work: (node: EndpointSpec, left: InferOptions) => Promise<T>,
  ): Promise<T> {
    const { totalMs } = resolveTimeouts(endpoint.timeouts, options.timeouts);
    if (totalMs === 0) return this.#slotted(endpoint, model, options, node => work(node, options));
    const endsAt = performance.now() + totalMs;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), totalMs);
    const signal = options.signal ? AbortSignal.any([options.signal, late.signal]) : late.signal;
    try {
      return await this.#slotted(endpoint, model, { ...options, signal }, node => {
        const leftMs = Math.max(1, Math.ceil(endsAt - performance.now()));
        return work(node, { ...options, timeouts: { ...options.timeouts, totalMs: leftMs } });
      });
    } catch (error) {
      if (!late.signal.aborted || options.signal?.aborted) throw error;
      const text = `no node answered within ${totalMs} ms (timeouts.totalMs)`;
      throw new AirframeError('timeout', text, { code: 'total_timeout', retryable: false, cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  async #slotted<T>(
    endpoint: EndpointSpec,
    model: string | undefined,
    options: InferOptions,
    work: Work<T>,
  ): Promise<T> {
    const tries = this.tries({ prompt: '', ...defined({ model }) }, options);
    let last: AirframeError | undefined;
    for (;;) {
      const lease = await tries.next(options.signal);
      // Without a node there has been a failure before.
      if (!lease) throw last;
      try {
        const result = await work(nodeEndpoint(endpoint, lease.node));
        lease.release({ result: 'ok' });
        return result;
      } catch (cause) {
        last = AirframeError.from(cause);
        if (!tries.failed(lease, last)) throw last;
      }
    }
  }

  /** For what needs no slot: at the first node that answers. */
  async anywhere<T>(
    endpoint: EndpointSpec,
    model: string | undefined,
    options: InferOptions,
    work: Work<T>,
  ): Promise<T> {
    let last = new AirframeError('not_found', 'no node is for this agent, model and tags', {
      code: 'no_node',
    });
    for (const node of this.#pool.nodesFor(defined({ ...this.#wantedBy(options), model }))) {
      try {
        return await work(nodeEndpoint(endpoint, node));
      } catch (cause) {
        last = AirframeError.from(cause);
        if (outcomeOf(last).result === 'none') break;
      }
    }
    throw last;
  }

  /** Healthy when one node is. */
  async health(endpoint: EndpointSpec): Promise<HealthReport> {
    const checkedAt = Date.now();
    const startedAt = performance.now();
    const timeouts = { totalMs: HEALTH_TIMEOUT_MS };
    const look = async (node: EndpointSpec) => {
      const { state, reason = state } = await this.#pool.adapter.health(node, { timeouts });
      if (state !== 'healthy') throw new AirframeError('connection', `${node.name}: ${reason}`);
    };
    try {
      await this.anywhere(endpoint, undefined, {}, look);
      return { state: 'healthy', checkedAt, latencyMs: performance.now() - startedAt };
    } catch (error) {
      const reason = AirframeError.from(error).message;
      return { state: 'unhealthy', checkedAt, latencyMs: performance.now() - startedAt, reason };
    }
  }

  #wantedBy(options: RouteInferOptions): Pick<AcquireOptions, 'agentName' | 'tags'> {
    const { agentName, tags } = this.#defaults;
    return { agentName: options.agentName ?? agentName, tags: options.tags ?? tags };
  }
}
