import { type Adapter, AirframeError, type EndpointSpec, type InferOptions } from '@x/airframe';
import { defined } from '../providers/options.ts';
import { NodeStream, nodeEndpoint } from './node-stream.ts';
import { NodeTries, outcomeOf, type RouteInferOptions } from './node-tries.ts';
import type { NodePool } from './pool.ts';

export interface NodeAdapterOptions {
  /** For calls that name none. */
  agentName?: string | undefined;
  tags?: readonly string[] | undefined;
  /** Tries after the first, before any output; at other nodes as long as there are some. */
  maxRetries: number;
}

/**
 * The nodes of a pool as one backend. Of the endpoint it takes timeouts, options and model; the address is a node's.
 * Closing it leaves the pool open.
 */
export function nodeAdapter(pool: NodePool, { agentName, tags, maxRetries }: NodeAdapterOptions): Adapter {
  const { adapter } = pool;
  const { embed, countTokens, listModels } = adapter;
  const wantedBy = (options: RouteInferOptions) => ({
    agentName: options.agentName ?? agentName,
    tags: options.tags ?? tags,
  });
  /** For what needs no slot: the first node that answers. */
  const atAnyNode = async <T>(
    endpoint: EndpointSpec,
    model: string | undefined,
    options: InferOptions,
    work: (endpoint: EndpointSpec) => Promise<T>,
  ): Promise<T> => {
    let last = new AirframeError('not_found', 'no node is for this agent, model and tags', {
      code: 'no_node',
    });
    for (const node of pool.nodesFor(defined({ ...wantedBy(options), model }))) {
      try {
        return await work(nodeEndpoint(endpoint, node));
      } catch (cause) {
        last = AirframeError.from(cause);
        if (outcomeOf(last).result === 'none') break;
      }
    }
    throw last;
  };
  return {
    kind: adapter.kind,
    capabilities: adapter.capabilities,
    streamInfer: (endpoint, request, options: RouteInferOptions = {}) => {
      const model = request.model ?? endpoint.model;
      const wanted = { request: { ...request, ...defined({ model }) }, ...wantedBy(options) };
      const tries = new NodeTries(pool, wanted, maxRetries, options.onRoute);
      return new NodeStream({ adapter, tries, endpoint, request, options });
    },
    health: async endpoint => {
      const checkedAt = Date.now();
      const startedAt = performance.now();
      const latencyMs = () => performance.now() - startedAt;
      try {
        await atAnyNode(endpoint, undefined, {}, async node => {
          const report = await adapter.health(node, { timeouts: { totalMs: HEALTH_TIMEOUT_MS } });
          if (report.state !== 'healthy')
            throw new AirframeError('connection', `${node.name}: ${report.reason ?? report.state}`);
        });
        return { state: 'healthy', checkedAt, latencyMs: latencyMs() };
      } catch (error) {
        const reason = AirframeError.from(error).message;
        return { state: 'unhealthy', checkedAt, latencyMs: latencyMs(), reason };
      }
    },
    ...(embed && {
      embed: async (endpoint, request, options = {}) => {
        const { model } = request;
        return atAnyNode(endpoint, model, options, node => embed.call(adapter, node, request, options));
      },
    }),
    ...(countTokens && {
      countTokens: async (endpoint, request, options = {}) =>
        atAnyNode(endpoint, request.model, options, node =>
          countTokens.call(adapter, node, request, options),
        ),
    }),
    ...(listModels && {
      listModels: async (endpoint, options = {}) =>
        atAnyNode(endpoint, undefined, options, node => listModels.call(adapter, node, options)),
    }),
    close: async () => {},
  };
}

/** Longest wait for a node's answer to a health check, in milliseconds. */
const HEALTH_TIMEOUT_MS = 5_000;
