import { AdapterProvider } from '../providers/adapter-provider.ts';
import { type LlamaServerProviderOptions, llamaServerPreset } from '../providers/llama-server.ts';
import type { ProviderStats } from '../providers/stats.ts';
import { nodeAdapter } from './node-adapter.ts';
import type { NodePool } from './pool.ts';

/** What {@link NodePoolProvider} takes beside the pool. */
export interface NodePoolProviderOptions extends Omit<LlamaServerProviderOptions, 'apiKey' | 'hostVariable'> {
  /** Its calls go to nodes that are for this agent. */
  agentName?: string;
  /** Its calls go to nodes that have all of these. */
  tags?: readonly string[];
  /** Closing the provider closes the pool. Default false: others use it as well. */
  ownsPool?: boolean;
}

/**
 * llama.cpp's servers as one provider, of the same name, prices and defaults as {@link LlamaServerProvider}. Options
 * of `infer` may be {@link RouteInferOptions}. Slots are the server's to choose: it takes the one whose cache fits
 * best, and `id_slot` would make a call wait for one slot while others are free.
 */
export class NodePoolProvider extends AdapterProvider {
  readonly #pool: NodePool;
  readonly #ownsPool: boolean;

  constructor(pool: NodePool, options: NodePoolProviderOptions = {}) {
    const { agentName, tags, ownsPool = false, ...rest } = options;
    const { maxRetries = 3 } = rest;
    const [first] = pool.profiles;
    const preset = llamaServerPreset(
      // Only its form is looked at: each call goes to the address of a node.
      first?.baseUrl ?? 'http://nodes.invalid',
      nodeAdapter(pool, { agentName, tags, maxRetries }),
      rest,
    );
    super({ ...preset, advice: { ...preset.advice, ...ADVICE } });
    this.#pool = pool;
    this.#ownsPool = ownsPool;
  }

  /** With the figures of all nodes in `adapter.nodes`. */
  override getStats(): ProviderStats {
    const stats = super.getStats();
    const { baseUrl: _, ...adapter } = stats.adapter ?? {};
    return { ...stats, adapter: { ...adapter, endpoint: 'nodes', ...this.#pool.snapshot() } };
  }

  override async close(): Promise<void> {
    if (this.#ownsPool) await this.#pool.close();
  }
}

const ADVICE = {
  connection: 'start llama-server at that node, or take it out of the node profiles',
  connect_timeout: 'check the baseUrl of that node; is it http where the server speaks http?',
  not_found: 'set the baseUrl of that node to the root of the server, without /v1',
  auth: 'set the apiKey of that node',
};
