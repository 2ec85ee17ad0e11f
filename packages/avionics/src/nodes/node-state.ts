import { Ejection, type EjectionOptions, type EjectionState, type FailureKind } from './ejection.ts';
import { BLOCK_CHARS, BlockCache, type PromptPrefix, TOKENS_PER_CHAR } from './prefix.ts';

/** What a router has to know of a node. */
export interface RouterNode {
  /** Unique among the router's nodes. */
  name: string;
  /** Calls it works on at once. Default 1. */
  slots?: number;
  /** The model it has. Absent: any it is asked for. */
  model?: string;
  /** The agents it is for. Absent: all. */
  agents?: readonly string[];
  tags?: readonly string[];
  /** Tokens of prompts it may still hold, in its slots and elsewhere. Default 262,144. */
  cacheTokens?: number;
}

/** How a call ended, as far as it says something about its node. */
export type RouteOutcome =
  /** Tokens as the node reported them; nothing where it did not. */
  | { result: 'ok'; promptTokens?: number; cachedTokens?: number }
  /** `unreachable`: the connection could not be made or broke. */
  | { result: 'failed'; unreachable?: boolean }
  /** Nothing to be learnt: it was never sent, the caller went, or the request itself was bad. */
  | { result: 'none' };

/** A call at a node, until `end`. Times are of the caller's clock. */
export interface NodeCall {
  firstOutput(now: number): void;
  end(outcome: RouteOutcome, now: number): void;
}

const DEFAULT_CACHE_TOKENS = 262_144;
const TOKENS_PER_BLOCK = BLOCK_CHARS * TOKENS_PER_CHAR;

/** Weight of a new sample. */
const SAMPLE = 0.2;

/** What each call costs beside its prompt, as if it had that many more tokens. */
const OVERHEAD_TOKENS = 32;

/** A node that fails sooner than this, never having answered, fails fast; milliseconds. */
const USUAL_FIRST_OUTPUT_MS = 250;

/** Exponentially weighted moving average; undefined before the first sample. */
export class Average {
  value: number | undefined;

  add(sample: number): void {
    this.value = this.value === undefined ? sample : this.value + SAMPLE * (sample - this.value);
  }
}

/** A node as the router sees it. */
export class NodeState {
  readonly spec: RouterNode;
  readonly cache: BlockCache;
  readonly ejection: Ejection;
  slots: number;
  healthy = true;
  /** Calls assigned here that have not ended. */
  inFlight = 0;
  /** Slots that others keep busy, as seen last. */
  elsewhere = 0;
  /** Prompt tokens to be evaluated for the calls that have put out nothing yet. */
  #pendingTokens = 0;
  /** Milliseconds to the first output. */
  readonly firstOutputMs: Average = new Average();
  /** Milliseconds to the end of a call. */
  readonly latencyMs: Average = new Average();
  /** Milliseconds to the first output for each token of {@link work}. */
  readonly msPerToken: Average = new Average();
  /** When a call of ours put out something or ended here last. */
  heardAt = 0;
  /** Share of calls that fail, 0 to 1. */
  readonly errorRate: Average = new Average();
  /** Share of the tokens expected to be cached that were, 0 to 1. */
  readonly #cacheTruth = new Average();

  constructor(spec: RouterNode, ejection: EjectionOptions) {
    this.spec = spec;
    this.slots = spec.slots ?? 1;
    const { cacheTokens = DEFAULT_CACHE_TOKENS } = spec;
    this.cache = new BlockCache(Math.max(1, Math.floor(cacheTokens / TOKENS_PER_BLOCK)));
    this.ejection = new Ejection(ejection);
  }

  /** Busy slots. */
  get load(): number {
    return this.inFlight + this.elsewhere;
  }

  state(now: number): EjectionState {
    return this.healthy ? this.ejection.state(now) : 'out';
  }

  /** Tokens of this prompt it would not have to evaluate, estimated from what it was sent and what it reported. */
  cachedTokens(prefix: PromptPrefix): number {
    return Math.round(this.#heldTokens(prefix) * (this.#cacheTruth.value ?? 1));
  }

  /**
   * Tokens to be worked through before a call that comes now puts out something: those before it and its own, and
   * the more calls are being answered, the slower.
   */
  work(uncachedTokens: number): number {
    return (this.#pendingTokens + uncachedTokens + OVERHEAD_TOKENS) * (1 + this.load / this.slots);
  }

  begin(prefix: PromptPrefix, cachedTokens: number, startedAt: number): NodeCall {
    const uncached = prefix.tokens - cachedTokens;
    const work = this.work(uncached);
    const heldShare = this.#heldTokens(prefix) / Math.max(1, prefix.tokens);
    this.inFlight++;
    this.#pendingTokens += uncached;
    this.cache.hold(prefix.hashes);
    let state: 'pending' | 'answering' | 'ended' = 'pending';
    return {
      firstOutput: now => {
        if (state !== 'pending') return;
        state = 'answering';
        this.#pendingTokens -= uncached;
        this.firstOutputMs.add(now - startedAt);
        this.msPerToken.add((now - startedAt) / work);
        this.heardAt = now;
      },
      end: (outcome, now) => {
        if (state === 'ended') return;
        const silent = state === 'pending';
        state = 'ended';
        this.inFlight--;
        if (silent) this.#pendingTokens -= uncached;
        if (outcome.result !== 'none') this.heardAt = now;
        if (outcome.result === 'ok') this.#succeeded(outcome, heldShare, startedAt, now);
        if (outcome.result === 'failed') {
          const usualMs = this.firstOutputMs.value ?? USUAL_FIRST_OUTPUT_MS;
          const fast = silent && now - startedAt < usualMs;
          this.#failed(outcome.unreachable ? 'unreachable' : fast ? 'fast' : 'slow', startedAt, now);
        }
      },
    };
  }

  #succeeded(
    outcome: RouteOutcome & { result: 'ok' },
    heldShare: number,
    startedAt: number,
    now: number,
  ): void {
    const { promptTokens, cachedTokens } = outcome;
    this.errorRate.add(0);
    this.ejection.succeeded(startedAt);
    this.latencyMs.add(now - startedAt);
    if (promptTokens && cachedTokens !== undefined && heldShare > 0) {
      // By shares: what a character is in tokens differs from model to model.
      this.#cacheTruth.add(Math.min(1, cachedTokens / promptTokens / heldShare));
    }
  }

  #failed(kind: FailureKind, startedAt: number, now: number): void {
    this.errorRate.add(1);
    this.ejection.failed(kind, startedAt, now);
    // Most likely it comes back as a new process.
    if (kind === 'unreachable') this.cache.clear();
  }

  #heldTokens({ hashes, tokens }: PromptPrefix): number {
    return Math.min(tokens, this.cache.matched(hashes) * TOKENS_PER_BLOCK);
  }
}
