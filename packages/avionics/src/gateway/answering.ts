import {
  type CallSignal,
  type DoneEvent,
  type InferenceRequest,
  type InferenceStream,
  type InferenceStreamEvent,
  isOutput,
} from '@x/airframe';
import type { CallLimiter } from '../limits/limiter.ts';
import type { LimitUsage } from '../limits/usage.ts';
import type { Answer, Candidate, Opening } from '../routing/fallback.ts';
import type { OperationTelemetry } from '../telemetry/operation.ts';
import type { ResponseCache } from './cache.ts';
import type { CallClock } from './clock.ts';
import type { CallContext, Destination } from './context.ts';
import type { CallLedger } from './ledger.ts';
import type { Prepared } from './prepared.ts';
import type { ReplySoFar } from './reply-so-far.ts';
import { type CompletionRequest, withDefaults } from './request.ts';
import { type Allowance, allowanceOf, amountsOf, CallBudget } from './reservation.ts';
import { type Answered, type CacheOutcome, type Output, type Piece, pieceOf, type Seam } from './response.ts';
import { extended, SeamKeeper } from './seams.ts';
import type { Beginning, Begun } from './short-way.ts';
import { type CallTries, endless } from './tries.ts';

/** A provider's answer that has begun, of which `head` has been read and is yet to be looked at. */
export interface BegunAnswer extends Begun {
  head: InferenceStreamEvent[];
}

export interface AnsweringOptions extends Prepared {
  /** The request as it came. */
  asked: CompletionRequest;
  context: CallContext;
  destinations: readonly Destination[];
  tries: CallTries;
  clock: CallClock;
  ledger: CallLedger;
  reply: ReplySoFar;
  operation: OperationTelemetry;
  /** Fires when the caller goes. */
  left: CallSignal;
  /** What the first turn may use, where that was asked already. */
  allowed: Beginning['allowed'];
  /** The first provider's answer, as far as it has come. */
  begun: BegunAnswer | undefined;
}

/** Where a piece comes from. */
export type Source = Pick<Piece, 'provider' | 'model'>;

/** Where the answer of one call comes from: the cache, or within limits the providers, in one turn or several. */
export class Answering {
  readonly #call: AnsweringOptions;
  readonly seams: Seam[] = [];
  /** Of the last reservation. */
  limits: readonly LimitUsage[] = [];
  /** As far as it is known; undefined: the call has had nothing to do with a cache. */
  cached: { outcome: CacheOutcome; savedUsd: number } | undefined;
  /** Whose next piece the consumer may take by {@link poll}. */
  #paused: (Source & { answer: Answer }) | undefined;

  constructor(call: AnsweringOptions) {
    this.#call = call;
  }

  /** Where what {@link poll} gives comes from; undefined: it gives nothing now. */
  get source(): Source | undefined {
    return this.#paused;
  }

  /**
   * The next piece of output, when it lies there already. A generator's step costs more than all else that is done for a
   * piece, so this goes past the one of {@link pieces}, which stands at its last piece meanwhile.
   */
  poll(): Output | undefined {
    const paused = this.#paused;
    if (!paused || paused.answer.head.length > 0) return undefined;
    const { reply } = this.#call;
    for (;;) {
      const event = reply.error ? undefined : paused.answer.stream.poll?.();
      if (!event) return undefined;
      if (isOutput(event)) paused.answer.telemetry.chunk();
      const output = reply.take(event);
      if (reply.done) return undefined;
      if (output && (output.type === 'token' || this.#all)) return output;
    }
  }

  /** Whether the consumer wants more than text. */
  get #all(): boolean {
    return this.#call.asked.output === 'all';
  }

  /** The answer's pieces, from the cache where there is one. */
  pieces(): AsyncGenerator<Piece, Answered, undefined> {
    const { context, asked } = this.#call;
    return context.cache && asked.cache !== false ? this.#cached(context.cache) : this.#limited();
  }

  async *#cached(cache: ResponseCache): AsyncGenerator<Piece, Answered, undefined> {
    const { context, destinations, structured, request, asked: call, ledger, clock, left } = this.#call;
    const { name: provider, model, variant, defaults } = destinations[0] ?? {};
    const asked = {
      ...withDefaults(request, defaults),
      ...{ provider, model, variant, nodeTags: call.nodeTags },
    };
    const fits = ({ text, toolCalls }: Answered) =>
      !structured || toolCalls.length > 0 || 'value' in structured.read(text);
    const live = async function* (this: Answering) {
      const answered = yield* this.#limited();
      return { answered, costUsd: ledger.costUsd };
    };
    // Whoever waits for the store, or for the answer of another call, has a deadline all the same.
    const { signal, done } = clock.ending(left);
    try {
      const onSource = (outcome: CacheOutcome) => {
        this.cached = { outcome, savedUsd: 0 };
      };
      const query = { asked, fits, signal, onSource };
      const { answered, outcome, savedUsd } = yield* cache.through(query, live.bind(this));
      this.cached = { outcome, savedUsd };
      if (outcome !== 'miss') context.stats.cached(savedUsd);
      return answered;
    } finally {
      done();
    }
  }

  /** Within budgets and rates: what the call may use is taken from them before, what it has used stays taken. */
  async *#limited(): AsyncGenerator<Piece, Answered, undefined> {
    const { context, operation, ledger, tries } = this.#call;
    const { limiter } = context;
    if (!limiter) return yield* this.#live();
    const allow = () => operation.run(() => this.#allowance(limiter));
    const budget = new CallBudget(allow, ledger, this.#call.allowed);
    const { leftOut, refusal, reservation } = await budget.open();
    // Asked here they are known already.
    if (this.#call.allowed) this.limits = reservation.limits ?? [];
    if (refusal) tries.leaveOut(leftOut, refusal);
    try {
      return yield* this.#live(() => budget.renew());
    } finally {
      await budget.close();
    }
  }

  async #allowance(limiter: CallLimiter): Promise<Allowance> {
    const { asked, context, destinations, request } = this.#call;
    const payer = { agentName: context.agentName, key: asked.key, tags: asked.tags };
    const amounts = destinations.map(destination => amountsOf(destination, request));
    const allowance = await allowanceOf(limiter, payer, { destinations, amounts }, this.#call);
    this.limits = allowance.reservation.limits ?? [];
    return allowance;
  }

  /**
   * Yields the text as it comes; returns the answer it came from at last.
   * @param again asks whether there may be a further turn
   */
  async *#live(again = async () => {}): AsyncGenerator<Piece, Answered, undefined> {
    const { context, asked, request, structured, tries, reply, left, begun } = this.#call;
    const seams = new SeamKeeper(asked.midStream ?? context.midStream, structured);
    let next = request;
    let queue = tries.queue(() => next);
    let answer = await this.#firstAnswer(queue, () => next);
    // A cache keeps all of it, whatever the one wants who asked first.
    const all = this.#all || context.cache !== undefined;
    let hasOutput = begun?.hasOutput ?? false;
    for (;;) {
      const source = sourceOf(answer);
      try {
        while (!reply.done && !reply.error) {
          const event = answer.head.shift() ?? (await eventOf(answer));
          const output = reply.take(event ?? { type: 'error', error: endless(answer) });
          if (!output || (output.type !== 'token' && !all)) continue;
          hasOutput = true;
          // With a cache it is not the consumer who pulls.
          if (!context.cache) this.#paused = { answer, ...source };
          yield pieceOf(output, source, reply.counted);
          this.#paused = undefined;
        }
      } finally {
        await tries.settle(answer, reply);
      }
      const broken = reply.error;
      const turn = seams.after(reply, answer.candidate, queue);
      if (!turn) return this.#answered(answer);
      next = extended(request, turn);
      queue = turn.queue;
      const from = answer.name;
      if (turn.seam.policy === 'continue') reply.continue();
      else reply.restart();
      const further = again().then(() => tries.first(queue));
      answer = await further.catch(error => {
        // What broke the answer off tells more than who could not take it up.
        throw broken && !left.aborted ? broken : error;
      });
      const seam = { ...turn.seam, from, to: answer.name };
      this.seams.push(seam);
      if (hasOutput) yield { text: '', ...sourceOf(answer), tokens: reply.counted, seam };
    }
  }

  /** Of whoever is the first to answer; of the one that has begun to, if there is one. */
  #firstAnswer(queue: Candidate[], request: () => InferenceRequest): Promise<Answer> | Answer {
    const { begun, tries, destinations } = this.#call;
    const [destination] = destinations;
    if (!begun || !destination) return tries.first(queue);
    const { opening, head, isAnswering } = begun;
    const again = tries.candidate(destination, request);
    const at = queue.findIndex(({ name }) => name === opening.name);
    if (at >= 0) queue.splice(at, 1);
    if (isAnswering) return { ...opening, head, candidate: again };
    queue.unshift(new BegunCandidate(again, { ...opening, stream: new ReadAhead(head, opening.stream) }));
    return tries.first(queue);
  }

  /** @throws AirframeError when the answer is not whole */
  #answered(answer: Answer): Answered {
    const { done, error } = this.#call.reply;
    if (error || !done) throw error ?? endless(answer);
    return answeredBy(sourceOf(answer), this.#call.reply, done);
  }
}

/** A whole answer, as it was gathered. */
export function answeredBy(
  { provider, model: asked }: Source,
  { text, toolCalls, message, tokensBefore }: ReplySoFar,
  done: DoneEvent,
): Answered {
  const { finishReason, usage, timings, responseId, model } = done;
  const answered: Answered = {
    provider,
    model: model ?? asked,
    text,
    toolCalls,
    finishReason,
    usage,
    completionTokens: usage.completionTokens + tokensBefore,
    timings,
  };
  if (message !== undefined) answered.message = message;
  if (responseId !== undefined) answered.responseId = responseId;
  return answered;
}

export function sourceOf({ name, provider, model }: Opening): Source {
  return { provider: name, model: model ?? provider.defaultModel ?? 'default' };
}

/** The next event; each piece of output is told to telemetry. */
async function eventOf({ stream, telemetry }: Answer): Promise<InferenceStreamEvent | undefined> {
  const { value } = await stream.next();
  if (value && isOutput(value)) telemetry.chunk();
  return value;
}

/** A candidate that has been asked; the next time it is asked anew. */
class BegunCandidate implements Candidate {
  readonly #again: Candidate;
  #opening: Opening | undefined;

  constructor(again: Candidate, opening: Opening) {
    this.#again = again;
    this.#opening = opening;
  }

  get name(): string {
    return this.#again.name;
  }

  get isAsked(): boolean {
    return this.#opening !== undefined;
  }

  open(): Opening {
    const opening = this.#opening;
    this.#opening = undefined;
    return opening ?? this.#again.open();
  }
}

/** A stream of which some events have been read already, and are read again. */
class ReadAhead implements InferenceStream {
  readonly #head: InferenceStreamEvent[];
  readonly #stream: InferenceStream;

  constructor(head: readonly InferenceStreamEvent[], stream: InferenceStream) {
    this.#head = [...head];
    this.#stream = stream;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): ReturnType<InferenceStream['next']> {
    const value = this.#head.shift();
    return value ? Promise.resolve({ done: false, value }) : this.#stream.next();
  }

  poll(): InferenceStreamEvent | undefined {
    return this.#head.shift() ?? this.#stream.poll?.();
  }

  async return(): ReturnType<NonNullable<InferenceStream['return']>> {
    this.#head.length = 0;
    return (await this.#stream.return?.()) ?? { done: true, value: undefined };
  }
}
