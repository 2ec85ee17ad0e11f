import { Ejection, type EjectionOptions, type EjectionState, type FailureKind } from './ejection.ts';
import { HeldPrompts } from './held-prompts.ts';
import type { Holders } from './holders.ts';
import { BLOCK_CHARS, type PromptPrefix, TOKENS_PER_CHAR } from './prefix.ts';

/** What a router has to know of a node. */
export interface RouterNode {
  /** Unique among the router's nodes. */
  name: string;
  /** Where it is: a node of the same name at another address is another node. */
  baseUrl?: string;
  /** Calls it works on at once. Default 1. */
  slots?: number;
  /** The model it has. Absent: any it is asked for. */
  model?: string;
  /** The agents it is for. Absent: all. */
  agents?: readonly string[];
  tags?: readonly string[];
  /** Tokens of prompts it may still hold, in its slots and elsewhere, to begin with: reports correct it. Default 262,144. */
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
/** Weight of a new sample in what only shows over many calls. */
const SAMPLE_OF_MANY = 0.05;

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

/** An amount for each unit of another, with the same weights: small samples say as little as they should. */
export class Rate {
  #amount = 0;
  #units = 0;
  readonly #weight: number;

  /** @param weight of a new sample, 0 to 1 */
  constructor(weight: number) {
    this.#weight = weight;
  }

  /** undefined before the first sample */
  get value(): number | undefined {
    return this.#units === 0 ? undefined : this.#amount / this.#units;
  }

  add(amount: number, units: number): void {
    const stays = 1 - this.#weight;
    this.#amount = this.#amount * stays + amount;
    this.#units = this.#units * stays + units;
  }
}

/** A node as the router sees it. */
export class NodeState {
  spec: RouterNode;
  readonly cache: HeldPrompts;
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
  readonly msPerToken: Rate = new Rate(SAMPLE);
  readonly #ofAll: Rate;
  /** When a call of ours put out something or ended here last. */
  heardAt = 0;
  /** Share of the calls sent here, 0 to 1, that came for the prompt it holds. */
  readonly affinityRate: Rate = new Rate(SAMPLE_OF_MANY);
  /** Share of calls that fail, 0 to 1. */
  readonly errorRate: Average = new Average();
  #retired = false;

  /**
   * @param ofAll what {@link msPerToken} is for all nodes together
   * @param holders told what prompts it holds the beginnings of
   */
  constructor(spec: RouterNode, ejection: EjectionOptions, ofAll: Rate, holders: Holders<NodeState>) {
    this.spec = spec;
    this.#ofAll = ofAll;
    this.slots = spec.slots ?? 1;
    const { cacheTokens = DEFAULT_CACHE_TOKENS } = spec;
    this.cache = new HeldPrompts(Math.floor(cacheTokens / TOKENS_PER_BLOCK), (first, holds) =>
      holders.set(first, this, holds && !this.#retired),
    );
    this.ejection = new Ejection(ejection);
  }

  /** Goes by another description of the same node from now on. */
  respecify(spec: RouterNode): void {
    if (spec.slots !== undefined) this.slots = spec.slots;
    // What it held of another model's prompts is of no use.
    if (spec.model !== this.spec.model) this.cache.clear();
    this.spec = spec;
  }

  /** It is nobody's node any more: once its calls have ended nothing speaks of it. */
  retire(): void {
    this.#retired = true;
    this.cache.clear();
  }

  /** Busy slots. */
  get load(): number {
    return this.inFlight + this.elsewhere;
  }

  get hasRoom(): boolean {
    return this.load < this.slots;
  }

  state(now: number): EjectionState {
    return this.healthy ? this.ejection.state(now) : 'out';
  }

  /** Tokens of this prompt that a call should find now. */
  cachedTokens({ hashes, tokens }: PromptPrefix): number {
    return Math.min(tokens, this.cache.ready(hashes) * TOKENS_PER_BLOCK);
  }

  /** The same once the calls that run have ended. */
  comingTokens({ hashes, tokens }: PromptPrefix): number {
    return Math.min(tokens, this.cache.coming(hashes) * TOKENS_PER_BLOCK);
  }

  /**
   * Tokens to be worked through before a call that comes now puts out something: those before it and its own, and
   * the more calls are being answered, the slower.
   */
  work(uncachedTokens: number): number {
    return (this.#pendingTokens + uncachedTokens + OVERHEAD_TOKENS) * (1 + this.load / this.slots);
  }

  /** @param forPrompt it comes because of the prompt this node holds */
  begin(prefix: PromptPrefix, startedAt: number, forPrompt: boolean): NodeCall {
    const uncached = prefix.tokens - this.cachedTokens(prefix);
    const work = this.work(uncached);
    const use = this.cache.begin(prefix.hashes);
    this.inFlight++;
    this.#pendingTokens += uncached;
    let state: 'pending' | 'answering' | 'ended' = 'pending';
    return {
      firstOutput: now => {
        if (state !== 'pending') return;
        state = 'answering';
        this.#pendingTokens -= uncached;
        this.affinityRate.add(Number(forPrompt), 1);
        this.firstOutputMs.add(now - startedAt);
        this.msPerToken.add(now - startedAt, work);
        this.#ofAll.add(now - startedAt, work);
        this.heardAt = now;
      },
      end: (outcome, now) => {
        if (state === 'ended') return;
        const silent = state === 'pending';
        state = 'ended';
        this.inFlight--;
        if (silent) this.#pendingTokens -= uncached;
        // What gave its slot back unused was never sent.
        if (silent && outcome.result !== 'none') this.affinityRate.add(Number(forPrompt), 1);
        if (silent && outcome.result !== 'ok') use.cancel();
        else use.end(foundBlocks(outcome, prefix));
        if (outcome.result !== 'none') this.heardAt = now;
        if (outcome.result === 'ok') this.#succeeded(startedAt, now);
        if (outcome.result === 'failed') {
          const usualMs = this.firstOutputMs.value ?? USUAL_FIRST_OUTPUT_MS;
          const fast = silent && now - startedAt < usualMs;
          this.#failed(outcome.unreachable ? 'unreachable' : fast ? 'fast' : 'slow', startedAt, now);
        }
      },
    };
  }

  #succeeded(startedAt: number, now: number): void {
    this.errorRate.add(0);
    this.ejection.succeeded(startedAt);
    this.latencyMs.add(now - startedAt);
  }

  #failed(kind: FailureKind, startedAt: number, now: number): void {
    this.errorRate.add(1);
    this.ejection.failed(kind, startedAt, now);
    // Most likely it comes back as a new process.
    if (kind === 'unreachable') this.cache.clear();
  }
}

/** By shares: what a character is in tokens differs from model to model. */
function foundBlocks(outcome: RouteOutcome, { tokens }: PromptPrefix): number | undefined {
  if (outcome.result !== 'ok' || !outcome.promptTokens || outcome.cachedTokens === undefined)
    return undefined;
  return Math.floor(((outcome.cachedTokens / outcome.promptTokens) * tokens) / TOKENS_PER_BLOCK);
}
