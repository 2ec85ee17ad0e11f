import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { AirframeError, isOutput } from '@x/airframe';
import type { Limiter } from '../limits/limiter.ts';
import { defined } from '../providers/options.ts';
import type { Answer } from '../routing/fallback.ts';
import type { Facts } from '../telemetry/names.ts';
import type { OperationTelemetry } from '../telemetry/operation.ts';
import { SILENT_OPERATION } from '../telemetry/silent.ts';
import type { ResponseCache } from './cache.ts';
import { CallClock } from './clock.ts';
import type { CallContext, Destination } from './context.ts';
import { CallLedger } from './ledger.ts';
import { isStopped, Meter } from './meter.ts';
import { type Prepared, prepared } from './prepared.ts';
import { ReplySoFar } from './reply-so-far.ts';
import { type CompletionRequest, timeoutsOf, withDefaults } from './request.ts';
import { type Allowance, allowanceOf, CallBudget } from './reservation.ts';
import {
  type Answered,
  type CacheOutcome,
  finalChunkOf,
  type LLMResponse,
  type Piece,
  responseOf,
  type Seam,
  type StreamingChunk,
} from './response.ts';
import { extended, SeamKeeper } from './seams.ts';
import type { CallOutcome } from './stats.ts';
import { CallTries, endless } from './tries.ts';

/** How a call ends whose consumer goes; nobody gets to see it. */
const LEFT = new AirframeError('aborted', 'the consumer left the stream');

/** A call on its way. */
interface Begun extends Prepared {
  destinations: readonly Destination[];
  tries: CallTries;
}

/** One call of the gateway, from the first provider tried to the last token accounted for. */
export class GatewayCall {
  readonly #requestId = randomUUID();
  readonly #request: CompletionRequest;
  readonly #context: CallContext;
  readonly #meter: Meter;
  readonly #ledger: CallLedger;
  readonly #reply: ReplySoFar;
  /** Fires when the caller goes: there is nobody to answer any more. */
  readonly #leaving = new AbortController();
  /** Whose next piece the consumer may take by {@link quick}. */
  #paused: { answer: Answer; provider: string; model: string } | undefined;
  #cache: { outcome: CacheOutcome; savedUsd: number } | undefined;
  readonly #seams: Seam[] = [];
  #tries: CallTries | undefined;
  #operation: OperationTelemetry = SILENT_OPERATION;
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
    // One listener for each call under way: many calls on one signal are no leak.
    if (signal instanceof EventTarget) setMaxListeners(0, signal);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    this.#context.stats.began();
    let response: LLMResponse | undefined;
    try {
      const begun = this.#begin();
      const source = this.#source(begun);
      let step = await source.next();
      try {
        for (; !step.done; step = await source.next()) yield this.#chunk(step.value);
      } finally {
        if (!step.done) await source.return(undefined as never);
      }
      response = this.#respond(step.value, begun);
    } catch (thrown) {
      this.#reply.error ??= AirframeError.from(thrown);
      if (this.#reply.error !== LEFT) throw this.#reply.error.with({ attempts: this.#ledger.attempts });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#book(response);
    }
    // After all is booked: a consumer may take the final chunk and never ask again.
    if (response) yield this.#announced(finalChunkOf(response));
  }

  /** @throws AirframeError (invalid_request) for what cannot be asked; SettingsError */
  #begin(): Begun {
    const context = this.#context;
    this.#clock.limit(timeoutsOf(this.#request));
    const asked = prepared(this.#request);
    const destinations = context.destinations();
    const { agentName, streamed, telemetry } = context;
    const [{ name: provider = 'none', model } = {}] = destinations;
    this.#operation = telemetry.operation({
      ...{ operation: 'chat', provider, model, agentName, streamed, request: asked.request },
    });
    const tries = new CallTries({
      ...{ context, destinations, requestId: this.#requestId, nodeTags: this.#request.nodeTags },
      ...{ clock: this.#clock, meter: this.#meter, ledger: this.#ledger },
      ...{ operation: this.#operation, left: this.#leaving.signal },
    });
    this.#tries = tries;
    return { ...asked, destinations, tries };
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
      if (isOutput(event)) paused.answer.telemetry.chunk();
      const text = reply.take(event);
      if (reply.done) return undefined;
      if (!text) continue;
      const { provider, model } = paused;
      return this.#announced(this.#textChunk(text, provider, model, reply.counted));
    }
  }

  /** The answer's pieces, from the cache where there is one. */
  #source(begun: Begun): AsyncGenerator<Piece, Answered, undefined> {
    const { cache } = this.#context;
    return cache && this.#request.cache !== false ? this.#cached(cache, begun) : this.#limited(begun);
  }

  async *#cached(cache: ResponseCache, begun: Begun): AsyncGenerator<Piece, Answered, undefined> {
    const [first] = begun.destinations;
    const { name: provider, model, variant, defaults } = first ?? {};
    const { structured } = begun;
    const asked = {
      ...withDefaults(begun.request, defaults),
      ...{ provider, model, variant, nodeTags: this.#request.nodeTags },
    };
    const fits = ({ text, toolCalls }: Answered) =>
      !structured || toolCalls.length > 0 || 'value' in structured.read(text);
    const live = async function* (this: GatewayCall) {
      const answered = yield* this.#limited(begun);
      return { answered, costUsd: this.#ledger.costUsd };
    };
    // Whoever waits for the store, or for the answer of another call, has a deadline all the same.
    const { signal, done } = this.#clock.ending(this.#leaving.signal);
    try {
      const { answered, outcome, savedUsd } = yield* cache.through({ asked, fits, signal }, live.bind(this));
      this.#cache = { outcome, savedUsd };
      if (outcome !== 'miss') this.#context.stats.cached(savedUsd);
      return answered;
    } finally {
      done();
    }
  }

  /** Within budgets and rates: what the call may use is taken from them before, what it has used stays taken. */
  async *#limited(begun: Begun): AsyncGenerator<Piece, Answered, undefined> {
    const { limiter } = this.#context;
    if (!limiter) return yield* this.#live(begun);
    const allow = () => this.#operation.run(() => this.#allowance(limiter, begun));
    const budget = new CallBudget(allow, this.#ledger);
    const { leftOut, refusal } = await budget.open();
    if (refusal) begun.tries.leaveOut(leftOut, refusal);
    try {
      return yield* this.#live(begun, () => budget.renew());
    } finally {
      await budget.close();
    }
  }

  #allowance(limiter: Pick<Limiter, 'reserve'>, begun: Begun): Promise<Allowance> {
    const { key, tags } = this.#request;
    const payer = { agentName: this.#context.agentName, key, tags };
    return allowanceOf(limiter, payer, begun, { clock: this.#clock, left: this.#leaving.signal });
  }

  /**
   * Yields the text as it comes; returns the answer it came from at last.
   * @param again asks whether there may be a further turn
   */
  async *#live(
    { request, structured, tries }: Begun,
    again = async () => {},
  ): AsyncGenerator<Piece, Answered, undefined> {
    const seams = new SeamKeeper(this.#request.midStream ?? this.#context.midStream, structured);
    const reply = this.#reply;
    let asked = request;
    let queue = tries.queue(() => asked);
    let answer = await tries.first(queue);
    let hasText = false;
    for (;;) {
      const source = sourceOf(answer);
      try {
        while (!reply.done && !reply.error) {
          const event = answer.head.shift() ?? (await next(answer)).value;
          const text = reply.take(event ?? { type: 'error', error: endless(answer) });
          hasText ||= text !== '';
          if (!text) continue;
          // With a cache it is not the consumer who pulls.
          if (!this.#context.cache) this.#paused = { answer, ...source };
          yield { text, ...source, tokens: reply.counted };
          this.#paused = undefined;
        }
      } finally {
        await tries.settle(answer, reply);
      }
      const broken = reply.error;
      const turn = seams.after(reply, answer.candidate, queue);
      if (!turn) return this.#answered(answer);
      asked = extended(request, turn.messages);
      queue = turn.queue;
      const from = answer.provider.name;
      if (turn.seam.policy === 'continue') reply.continue();
      else reply.restart();
      const further = again().then(() => tries.first(queue));
      answer = await further.catch(error => {
        // What broke the answer off tells more than who could not take it up.
        throw broken && !this.#leaving.signal.aborted ? broken : error;
      });
      const seam = { ...turn.seam, from, to: answer.provider.name };
      this.#seams.push(seam);
      if (hasText) yield { text: '', ...sourceOf(answer), tokens: reply.counted, seam };
    }
  }

  #stop(): void {
    this.#leaving.abort(new AirframeError('aborted', 'the call was aborted'));
    this.#tries?.stop();
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

  #respond(answered: Answered, { structured, tools, tries }: Begun): LLMResponse {
    const { text, toolCalls } = answered;
    const read = structured && toolCalls.length === 0 ? structured.read(text) : undefined;
    const checked = tools ? { ...answered, toolCalls: toolCalls.map(call => tools.checked(call)) } : answered;
    return responseOf(checked, read && 'value' in read ? read : undefined, {
      requestId: this.#requestId,
      agentName: this.#context.agentName,
      ledger: this.#ledger,
      seams: this.#seams,
      skipped: tries.skipped,
      routes: tries.routes,
      cache: this.#cache?.outcome,
      savedUsd: this.#cache?.savedUsd ?? 0,
      request: this.#request.metadata,
      latencyMs: this.#clock.elapsedMs,
      streamed: this.#context.streamed,
    });
  }

  /** The call is over. */
  #book(response: LLMResponse | undefined): void {
    const outcome = this.#outcome(response);
    this.#context.stats.ended(outcome, {
      agentName: this.#context.agentName,
      latencyMs: this.#clock.elapsedMs,
      firstChunkMs: this.#firstChunkMs,
      ...this.#ledger.billed,
      costUsd: this.#ledger.costUsd,
    });
    const { outcome: cache, savedUsd } = this.#cache ?? {};
    const { error } = this.#reply;
    this.#operation.annotate({
      cache,
      savedUsd: cache === 'miss' ? undefined : savedUsd,
      seams: this.#seams.length || undefined,
      skipped: this.#tries?.skipped.length ? this.#tries.skipped.map(({ provider }) => provider) : undefined,
      ...limitFactsOf(error),
    });
    this.#operation.ended({ error: outcome === 'succeeded' ? undefined : error });
  }

  #outcome(response: LLMResponse | undefined): CallOutcome {
    if (response) return 'succeeded';
    return isStopped(this.#reply.error) ? 'stopped' : 'failed';
  }
}

function sourceOf({ provider, model }: Answer): Pick<Piece, 'provider' | 'model'> {
  return { provider: provider.name, model: model ?? provider.defaultModel ?? 'default' };
}

/** The next event; each piece of output is told to telemetry. */
async function next({ stream, telemetry }: Answer) {
  const step = await stream.next();
  if (step.value && isOutput(step.value)) telemetry.chunk();
  return step;
}

/** The limit that kept a call back. */
function limitFactsOf(error: AirframeError | undefined): Facts {
  if (error?.code !== 'limit_reached') return {};
  const { rule } = (error.cause ?? {}) as { rule?: string };
  return { limit: rule, limitRetryMs: error.retryAfterMs };
}
