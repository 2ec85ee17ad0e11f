import { setTimeout as sleep } from 'node:timers/promises';
import { AirframeError, type DoneEvent, type ErrorCategory, type InferOptions } from '@x/airframe';
import { NO_NODE_LEFT } from './no-node.ts';
import type { RouteOutcome } from './node-state.ts';
import type { AcquireOptions, LeaseReasons, NodeLease, NodePool } from './pool.ts';

/** Which node a try of a call went to, and why. */
export interface RouteDecision {
  node: string;
  /** 1 for the first try. */
  attempt: number;
  reasons: LeaseReasons;
}

/** What a call over nodes can be told. Any provider takes these options; others than that of a pool ignore them. */
export interface RouteInferOptions extends InferOptions {
  /** In the place of the provider's own. */
  agentName?: string;
  /** In the place of the provider's own. */
  tags?: readonly string[];
  /** Called for each try, before it is sent. */
  onRoute?: (decision: RouteDecision) => void;
}

/** Failures that another node need not share. A total deadline is over wherever the call goes. */
const OF_THE_NODE: ReadonlySet<ErrorCategory> = new Set([
  'timeout',
  'connection',
  'backend',
  'parse',
  'unknown',
  'rate_limit',
  'overloaded',
  'auth',
  'not_found',
]);

function isOfNode({ category, code }: AirframeError): boolean {
  return OF_THE_NODE.has(category) && code !== 'total_timeout';
}

/** What a failed call says of its node. */
export function outcomeOf(error: AirframeError): RouteOutcome {
  if (!isOfNode(error)) return { result: 'none' };
  const unreachable = error.category === 'connection' || error.code === 'connect_timeout';
  return unreachable ? { result: 'failed', unreachable } : { result: 'failed' };
}

/** What a good ending says. */
export function outcomeOfDone({ usage }: Pick<DoneEvent, 'usage'>): RouteOutcome {
  const { source, promptTokens, cachedTokens } = usage;
  if (source === 'estimated' || cachedTokens === undefined) return { result: 'ok' };
  return { result: 'ok', promptTokens, cachedTokens };
}

/** Before all nodes are tried again, in milliseconds; doubles each time. */
const BASE_DELAY_MS = 250;

/** The nodes one call is tried at: each once, and all of them again when none is left and tries are. */
export class NodeTries {
  readonly #pool: NodePool;
  readonly #wanted: AcquireOptions;
  readonly #onRoute: RouteInferOptions['onRoute'];
  readonly #maxRetries: number;
  readonly #exclude = new Set<string>();
  #failures = 0;
  #rounds = 0;
  #last: AirframeError | undefined;

  constructor(
    pool: NodePool,
    wanted: Omit<AcquireOptions, 'exclude' | 'signal'>,
    maxRetries: number,
    onRoute?: RouteInferOptions['onRoute'],
  ) {
    this.#pool = pool;
    this.#wanted = wanted;
    this.#maxRetries = maxRetries;
    this.#onRoute = onRoute;
  }

  /**
   * @returns undefined when no node is left; the last failure is what the call ends with
   * @throws AirframeError as {@link NodePool.acquire} does
   */
  async next(signal: AbortSignal | undefined): Promise<NodeLease | undefined> {
    const lease = await this.#acquire(signal);
    if (!lease) return undefined;
    try {
      this.#onRoute?.({ node: lease.node.name, attempt: this.#failures + 1, reasons: lease.reasons });
      signal?.throwIfAborted();
      return lease;
    } catch (error) {
      lease.release({ result: 'none' });
      throw error;
    }
  }

  /** Gives the lease back. @returns whether the call is to be tried again */
  failed(lease: NodeLease, error: AirframeError): boolean {
    lease.release(outcomeOf(error));
    this.#exclude.add(lease.node.name);
    this.#last = error;
    return ++this.#failures <= this.#maxRetries && isOfNode(error);
  }

  async #acquire(signal: AbortSignal | undefined): Promise<NodeLease | undefined> {
    try {
      return await this.#pool.acquire({ ...this.#wanted, signal, exclude: this.#exclude });
    } catch (error) {
      if (AirframeError.from(error).code !== NO_NODE_LEFT) throw error;
    }
    if (!this.#last?.retryable) return undefined;
    this.#exclude.clear();
    await sleep(BASE_DELAY_MS * 2 ** this.#rounds++, undefined, signal ? { signal } : {});
    return this.#pool.acquire({ ...this.#wanted, signal });
  }
}
