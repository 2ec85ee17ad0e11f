import { randomUUID } from 'node:crypto';
import { AirframeError, type DoneEvent, type InferenceRequest, type InferenceStream } from '@x/airframe';
import type { CostEstimate } from '../cost/estimate.ts';
import { toNanoUsd } from '../cost/money.ts';
import type { Limiter, Reservation } from '../limits/limiter.ts';
import type { Logger } from '../logger.ts';
import type { RequestDefaults } from '../providers/adapter-provider.ts';
import type { LLMProvider } from '../providers/base.ts';
import { defined } from '../providers/options.ts';
import type { BreakerBoard } from '../routing/breaker.ts';
import { type Answer, type Candidate, firstToAnswer } from '../routing/fallback.ts';
import type { ResponseCache } from './cache.ts';
import { CallClock } from './clock.ts';
import { CallLedger } from './ledger.ts';
import { Meter, type ResourceCallback } from './meter.ts';
import { ReplySoFar } from './reply-so-far.ts';
import { type CompletionRequest, inferenceRequestOf, type MidStreamPolicy, timeoutsOf } from './request.ts';
import {
  type Answered,
  type CacheOutcome,
  finalChunkOf,
  type LLMResponse,
  type Piece,
  responseOf,
  type Seam,
  type SkippedProvider,
  type StreamingChunk,
} from './response.ts';
import { extended, SeamKeeper } from './seams.ts';
import type { CallOutcome, StatsBook } from './stats.ts';
import { StructuredOutput } from './structured.ts';
import { ToolSet } from './tools.ts';

/** Where a call may go. */
export interface Destination {
  name: string;
  /** Model to ask for; undefined: the provider's own. */
  model: string | undefined;
  /** What the request gets where it says nothing: those of the model's alias. */
  defaults?: RequestDefaults | undefined;
  /** What else of the settings decides about its answers. */
  variant?: unknown;
  /** Finds the provider; may throw. */
  provider(): LLMProvider;
}

export interface CallContext {
  /** In the order they are to be tried. Throws when settings are wrong. */
  destinations(): readonly Destination[];
  agentName: string;
  streamed: boolean;
  stats: StatsBook;
  breakers: BreakerBoard;
  midStream: MidStreamPolicy;
  cache: ResponseCache | undefined;
  limiter: Pick<Limiter, 'reserve'> | undefined;
  logger: Logger;
  resourceCallback: ResourceCallback | undefined;
  /** Called with each chunk before the consumer gets it. */
  onChunk: ((chunk: StreamingChunk) => void) | undefined;
}

/** How a call ends whose consumer goes; nobody gets to see it. */
const LEFT = new AirframeError('aborted', 'the consumer left the stream');

/** What a call asks for, made ready. */
interface Prepared {
  request: InferenceRequest;
  structured: StructuredOutput | undefined;
  tools: ToolSet | undefined;
}

/** One call of the gateway, from the first provider tried to the last token accounted for. */
export class GatewayCall {
  readonly #requestId = randomUUID();
  readonly #request: CompletionRequest;
  readonly #context: CallContext;
  readonly #meter: Meter;
  readonly #ledger: CallLedger;
  readonly #reply: ReplySoFar;
  /** Ends the try under way. */
  #controller = new AbortController();
  /** Fires when the caller goes: there is nobody to answer any more. */
  readonly #leaving = new AbortController();
  /** Whose next piece the consumer may take by {@link quick}. */
  #paused: { answer: Answer; provider: string; model: string } | undefined;
  #cache: { outcome: CacheOutcome; savedUsd: number } | undefined;
  readonly #seams: Seam[] = [];
  readonly #skipped: SkippedProvider[] = [];
  readonly #clock = new CallClock();
  /** Milliseconds to the first text that the consumer got. */
  #firstChunkMs: number | undefined;

  constructor(request: CompletionRequest, context: CallContext) {
    this.#request = request;
    this.#context = context;
    this.#meter = new Meter(context.resourceCallback, context.agentName, context.logger);
    this.#ledger = new CallLedger(context.stats, this.#meter);
    this.#reply = new ReplySoFar(this.#meter);
  }

  /** The consumer goes; a chunk it may be waiting for will not come. */
  leave(): void {
    this.#paused = undefined;
    this.#reply.error = LEFT;
    this.#stop();
  }

  /**
   * The answer, chunk by chunk; the last one carries the response. Leaving early stops the backend and still
   * accounts for what was used.
   * @throws AirframeError with the log of all tries, after all chunks that came
   */
  async *chunks(): AsyncGenerator<StreamingChunk, undefined, undefined> {
    const { signal } = this.#request;
    const onAbort = () => this.#stop();
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    this.#context.stats.began();
    let response: LLMResponse | undefined;
    try {
      const prepared = this.#prepare();
      const source = this.#source(prepared);
      let step = await source.next();
      try {
        for (; !step.done; step = await source.next()) yield this.#chunk(step.value);
      } finally {
        if (!step.done) await source.return(undefined as never);
      }
      response = this.#respond(step.value, prepared);
    } catch (thrown) {
      this.#reply.error ??= AirframeError.from(thrown);
      if (this.#reply.error !== LEFT) throw this.#reply.error.with({ attempts: this.#ledger.attempts });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      const { elapsedMs } = this.#clock;
      this.#context.stats.ended(this.#outcome(response), {
        agentName: this.#context.agentName,
        latencyMs: elapsedMs,
        firstChunkMs: this.#firstChunkMs,
        ...this.#ledger.billed,
        costUsd: this.#ledger.costUsd,
      });
    }
    // After all is booked: a consumer may take the final chunk and never ask again.
    if (response) yield this.#announced(finalChunkOf(response));
  }

  /** @throws AirframeError (invalid_request) for what cannot be asked */
  #prepare(): Prepared {
    const { schema, tools: asked } = this.#request;
    this.#clock.limit(timeoutsOf(this.#request));
    const structured = schema && new StructuredOutput(schema);
    const tools = asked && new ToolSet(asked);
    const request = {
      ...inferenceRequestOf(this.#request),
      ...defined({ tools: tools?.specs, responseFormat: structured?.responseFormat }),
    };
    const { responseFormat } = this.#request;
    return { request: responseFormat ? { ...request, responseFormat } : request, structured, tools };
  }

  /**
   * The next chunk, when it lies there already. A generator's step costs more than all else that is done for a chunk,
   * so this goes past the one of {@link chunks}, which stands at its last chunk meanwhile.
   */
  quick(): StreamingChunk | undefined {
    const paused = this.#paused;
    if (!paused || paused.answer.head.length > 0) return undefined;
    const reply = this.#reply;
    for (;;) {
      const event = reply.error ? undefined : paused.answer.stream.poll?.();
      if (!event) return undefined;
      const text = reply.take(event);
      if (reply.done) return undefined;
      if (!text) continue;
      const { provider, model } = paused;
      return this.#announced(this.#textChunk(text, provider, model, reply.counted));
    }
  }

  /** The answer's pieces, from the cache where there is one. */
  #source(prepared: Prepared): AsyncGenerator<Piece, Answered, undefined> {
    const { cache } = this.#context;
    return cache && this.#request.cache !== false ? this.#cached(cache, prepared) : this.#limited(prepared);
  }

  async *#cached(cache: ResponseCache, prepared: Prepared): AsyncGenerator<Piece, Answered, undefined> {
    const [first] = this.#context.destinations();
    const { name: provider, model, variant, defaults } = first ?? {};
    const asked = { ...defaults, ...prepared.request, provider, model, variant };
    const live = async function* (this: GatewayCall) {
      const answered = yield* this.#limited(prepared);
      return { answered, costUsd: this.#ledger.costUsd };
    };
    // Whoever waits for the answer of another call has a deadline all the same.
    const { totalMs } = this.#clock.timeouts ?? {};
    const late = new AbortController();
    const timer = totalMs && setTimeout(() => late.abort(this.#clock.expired()), totalMs);
    const signal = AbortSignal.any([this.#leaving.signal, late.signal]);
    try {
      const { answered, outcome, savedUsd } = yield* cache.through(asked, live.bind(this), signal);
      this.#cache = { outcome, savedUsd };
      if (outcome !== 'miss') this.#context.stats.cached(savedUsd);
      return answered;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Within budgets and rates: what the call may use is taken from them before, what it has used stays taken. */
  async *#limited(prepared: Prepared): AsyncGenerator<Piece, Answered, undefined> {
    if (!this.#context.limiter) return yield* this.#live(prepared);
    const reservation = await this.#reserve(this.#context.limiter, prepared.request);
    try {
      return yield* this.#live(prepared);
    } finally {
      const { totalTokens: tokens } = this.#ledger.billed;
      await reservation.settle({ tokens, nanoUsd: toNanoUsd(this.#ledger.costUsd) });
    }
  }

  /** @throws AirframeError (rate_limit, quota) when a limit is used up */
  #reserve(limiter: Pick<Limiter, 'reserve'>, request: InferenceRequest): Promise<Reservation> {
    const { promptTokens, completionTokens, costUsd, priced } = this.#estimate(request);
    const { key, tags } = this.#request;
    return limiter.reserve({
      agent: this.#context.agentName,
      keys: key === undefined ? [] : [key],
      tags,
      tokens: promptTokens + completionTokens,
      // A price that nobody knows is not none: a budget used up keeps such a call back as well.
      nanoUsd: priced ? toNanoUsd(costUsd, 'up') : 1,
    });
  }

  /** By the first provider that can be made; where none can, nothing will be used. */
  #estimate(request: InferenceRequest): CostEstimate {
    for (const { provider: find, model, defaults } of this.#context.destinations()) {
      try {
        const provider = find();
        return provider.estimateOf(provider.prepare({ ...defaults, ...request, ...defined({ model }) }));
      } catch {
        // Told when the call itself comes to it.
      }
    }
    return { promptTokens: 0, completionTokens: 0, costUsd: 0, priced: true };
  }

  /** Yields the text as it comes; returns the answer it came from at last. */
  async *#live({ request, structured }: Prepared): AsyncGenerator<Piece, Answered, undefined> {
    const seams = new SeamKeeper(this.#request.midStream ?? this.#context.midStream, structured);
    const reply = this.#reply;
    let asked = request;
    let queue = this.#queue(() => asked);
    let answer = await this.#open(queue);
    let hasText = false;
    for (;;) {
      const source = sourceOf(answer);
      try {
        while (!reply.done && !reply.error) {
          const event = answer.head.shift() ?? (await answer.stream.next()).value;
          const text = reply.take(event ?? { type: 'error', error: endless(answer) });
          hasText ||= text !== '';
          if (!text) continue;
          // With a cache it is not the consumer who pulls.
          if (!this.#context.cache) this.#paused = { answer, ...source };
          yield { text, ...source, tokens: reply.counted };
          this.#paused = undefined;
        }
      } finally {
        await this.#settle(answer);
      }
      const broken = reply.error;
      const turn = seams.after(reply, answer.candidate, queue);
      if (!turn) return this.#answered(answer);
      asked = extended(request, turn.messages);
      queue = turn.queue;
      const from = answer.provider.name;
      if (turn.seam.policy === 'continue') reply.continue();
      else reply.restart();
      answer = await this.#open(queue).catch(error => {
        // What broke the answer off tells more than who could not take it up.
        throw broken && !this.#leaving.signal.aborted ? broken : error;
      });
      const seam = { ...turn.seam, from, to: answer.provider.name };
      this.#seams.push(seam);
      if (hasText) yield { text: '', ...sourceOf(answer), tokens: reply.counted, seam };
    }
  }

  /** Providers with open circuits are left out, but for the least bad: it is asked when all others have failed. */
  #queue(request: () => InferenceRequest): Candidate[] {
    const { ask, open } = this.#context.breakers.sorted(this.#context.destinations());
    const [leastBad, ...rest] = open;
    const passedOver = ask.length === 0 ? rest : open;
    for (const { name } of passedOver) {
      const retryInMs = Math.ceil(this.#context.breakers.of(name).opensInMs);
      this.#skipped.push({ provider: name, reason: 'circuit_open', retryInMs });
    }
    return [...ask, ...(leastBad ? [leastBad] : [])].map(destination =>
      this.#candidate(destination, request),
    );
  }

  async #open(queue: Candidate[]): Promise<Answer> {
    const { breakers, stats, logger, agentName } = this.#context;
    const failedBefore = this.#ledger.attempts.length;
    const answer = await firstToAnswer(queue, {
      before: name => {
        this.#clock.check();
        this.#meter.admit();
        breakers.of(name).began();
      },
      onFailure: failure => {
        this.#ledger.bookFailure(failure);
        const { name, error } = failure;
        breakers.of(name).failed(error);
        const fields = { requestId: this.#requestId, agentName, error: error.message };
        logger.warn(`provider ${name} failed`, fields);
      },
    });
    breakers.of(answer.candidate.name).succeeded();
    if (this.#ledger.attempts.length > failedBefore) stats.fellBack();
    return answer;
  }

  #candidate(
    { name, model, defaults, provider: find }: Destination,
    request: () => InferenceRequest,
  ): Candidate {
    return {
      name,
      open: () => {
        if (!this.#leaving.signal.aborted) this.#controller = new AbortController();
        const { signal } = this.#controller;
        const options = { signal, ...defined({ timeouts: this.#clock.timeouts }) };
        const provider = find();
        const prepared = provider.prepare({ ...defaults, ...request(), ...defined({ model }) });
        return { provider, model, stream: provider.infer(prepared, options) };
      },
    };
  }

  #stop(): void {
    this.#leaving.abort(new AirframeError('aborted', 'the call was aborted'));
    this.#controller.abort();
  }

  #chunk({ text, provider, model, tokens, seam }: Piece): StreamingChunk {
    const chunk = this.#textChunk(text, provider, model, tokens);
    if (seam) chunk.seam = seam;
    return this.#announced(chunk);
  }

  /** Made for every token: one literal, nothing spread. */
  #textChunk(text: string, provider: string, model: string, cumulativeTokens: number): StreamingChunk {
    this.#firstChunkMs ??= this.#clock.elapsedMs;
    return {
      text,
      isFinal: false,
      requestId: this.#requestId,
      agentName: this.#context.agentName,
      provider,
      model,
      cumulativeTokens,
      timestamp: new Date(),
    };
  }

  #announced(chunk: StreamingChunk): StreamingChunk {
    const { onChunk, logger } = this.#context;
    try {
      onChunk?.(chunk);
    } catch (error) {
      logger.error('the streaming callback failed', { requestId: this.#requestId, error: String(error) });
    }
    return chunk;
  }

  /** Accounts for the answering provider's part; a stream still open is stopped and read to its `done`. */
  async #settle(answer: Answer): Promise<void> {
    const reply = this.#reply;
    if (!reply.done) {
      this.#controller.abort();
      reply.done = await doneOf(answer);
    }
    const { error } = reply;
    if (error) this.#context.breakers.of(answer.candidate.name).failed(error);
    this.#ledger.book(answer, reply.done, error?.category);
  }

  /** @throws AirframeError when the answer is not whole */
  #answered(answer: Answer): Answered {
    const { done, error, text, toolCalls, message, tokensBefore } = this.#reply;
    if (error || !done) throw error ?? endless(answer);
    const { finishReason, usage, timings, responseId } = done;
    return {
      ...sourceOf(answer),
      ...defined({ model: done.model, message, responseId }),
      text,
      toolCalls,
      finishReason,
      usage,
      completionTokens: usage.completionTokens + tokensBefore,
      timings,
    };
  }

  #respond(answered: Answered, { structured, tools }: Prepared): LLMResponse {
    const { text, toolCalls } = answered;
    const read = structured && toolCalls.length === 0 ? structured.read(text) : undefined;
    const checked = tools ? { ...answered, toolCalls: toolCalls.map(call => tools.checked(call)) } : answered;
    return responseOf(checked, read && 'value' in read ? read : undefined, {
      requestId: this.#requestId,
      agentName: this.#context.agentName,
      ledger: this.#ledger,
      seams: this.#seams,
      skipped: this.#skipped,
      cache: this.#cache?.outcome,
      savedUsd: this.#cache?.savedUsd ?? 0,
      request: this.#request.metadata,
      latencyMs: this.#clock.elapsedMs,
      streamed: this.#context.streamed,
    });
  }

  #outcome(response: LLMResponse | undefined): CallOutcome {
    if (response) return 'succeeded';
    const { error } = this.#reply;
    const stopped = error?.category === 'aborted' || error?.code === 'resource_callback';
    return stopped ? 'stopped' : 'failed';
  }
}

function sourceOf({ provider, model }: Answer): Pick<Piece, 'provider' | 'model'> {
  return { provider: provider.name, model: model ?? provider.defaultModel ?? 'default' };
}

/** Reads a stopped stream to its end, for the usage. */
async function doneOf({ stream }: { stream: InferenceStream }): Promise<DoneEvent | undefined> {
  try {
    for await (const event of stream) if (event.type === 'done') return event;
  } catch {
    // The provider breaks the stream contract; the error that ended the call says more.
  }
  return undefined;
}

function endless({ provider }: Answer): AirframeError {
  return new AirframeError('unknown', `provider ${provider.name} ended its stream without a done event`);
}
