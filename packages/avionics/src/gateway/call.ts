import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { AirframeError } from '@x/airframe';
import type { Facts } from '../telemetry/names.ts';
import type { OperationTelemetry } from '../telemetry/operation.ts';
import { SILENT_OPERATION } from '../telemetry/silent.ts';
import { Answering } from './answering.ts';
import { CallClock } from './clock.ts';
import type { CallContext } from './context.ts';
import { Leaving } from './leaving.ts';
import { CallLedger } from './ledger.ts';
import { isStopped, Meter } from './meter.ts';
import { type Prepared, prepared } from './prepared.ts';
import { ReplySoFar } from './reply-so-far.ts';
import { type CompletionRequest, timeoutsOf } from './request.ts';
import {
  type Answered,
  type CallProgress,
  finalChunkOf,
  type LLMResponse,
  type Piece,
  responseOf,
  type StreamingChunk,
} from './response.ts';
import type { CallOutcome } from './stats.ts';
import { CallTries } from './tries.ts';

/** How a call ends whose consumer goes; nobody gets to see it. */
const LEFT = new AirframeError('aborted', 'the consumer left the stream');

/** One call of the gateway, from the first provider tried to the last token accounted for. */
export class GatewayCall {
  readonly #requestId: string;
  readonly #request: CompletionRequest;
  readonly #context: CallContext;
  readonly #meter: Meter;
  readonly #ledger: CallLedger;
  readonly #reply: ReplySoFar;
  /** Fires when the caller goes: there is nobody to answer any more. */
  readonly #leaving = new Leaving();
  #answering: Answering | undefined;
  #tries: CallTries | undefined;
  #operation: OperationTelemetry = SILENT_OPERATION;
  readonly #clock = new CallClock();
  /** Milliseconds to the first text that the consumer got. */
  #firstChunkMs: number | undefined;

  constructor(request: CompletionRequest, context: CallContext) {
    this.#request = request;
    this.#requestId = request.requestId ?? randomUUID();
    this.#context = context;
    this.#meter = new Meter(context.resourceCallback, context.agentName, context.logger);
    this.#ledger = new CallLedger(context.stats, this.#meter);
    this.#reply = new ReplySoFar(this.#meter);
  }

  /** The consumer goes; a chunk it may be waiting for will not come. */
  leave(): void {
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
      this.#clock.limit(timeoutsOf(this.#request));
      const asked = prepared(this.#request);
      const source = this.#begin(asked).pieces();
      let step = await source.next();
      try {
        for (; !step.done; step = await source.next()) {
          // A cache, or another call that is shared, may give more than was asked for.
          if (!step.value.event || this.#request.output === 'all') yield this.#chunk(step.value);
        }
      } finally {
        if (!step.done) await source.return(undefined as never);
      }
      response = this.#respond(step.value, asked);
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
  #begin(asked: Prepared): Answering {
    const [context, clock, ledger] = [this.#context, this.#clock, this.#ledger];
    const { agentName, streamed, telemetry } = context;
    const destinations = context.destinations();
    const [{ type: provider = 'none', model } = {}] = destinations;
    const about = { provider, model, agentName, streamed, request: asked.request };
    const operation = telemetry.operation({ operation: 'chat', ...about });
    this.#operation = operation;
    const { nodeTags, headers } = this.#request;
    const left = this.#leaving;
    const tries = new CallTries({
      context,
      destinations,
      requestId: this.#requestId,
      nodeTags,
      headers,
      clock,
      meter: this.#meter,
      ledger,
      operation,
      left,
    });
    this.#tries = tries;
    this.#answering = new Answering({
      request: asked.request,
      structured: asked.structured,
      tools: asked.tools,
      asked: this.#request,
      context,
      destinations,
      tries,
      clock,
      ledger,
      reply: this.#reply,
      operation,
      left,
    });
    return this.#answering;
  }

  /** The next chunk, when it lies there already: see {@link Answering.poll}. */
  quick(): StreamingChunk | undefined {
    const answering = this.#answering;
    const output = answering?.poll();
    const source = answering?.source;
    if (output === undefined || !source) return undefined;
    const text = output.type === 'token' ? output.text : '';
    const chunk = this.#textChunk(text, source.provider, source.model, this.#reply.counted);
    if (output.type !== 'token') chunk.event = output;
    return this.#announced(chunk);
  }

  /** How far the call has come. */
  progress(): CallProgress {
    const { attempts, billed, costUsd, priced } = this.#ledger;
    const { routes = [], skipped = [] } = this.#tries ?? {};
    const limits = this.#answering?.limits ?? [];
    const { cached } = this.#answering ?? {};
    const progress: CallProgress = {
      requestId: this.#requestId,
      attempts,
      billed,
      costUsd,
      priced,
      routes,
      skipped,
      limits,
    };
    if (cached) progress.cache = cached.outcome;
    if (this.#firstChunkMs !== undefined) progress.firstOutputMs = this.#firstChunkMs;
    return progress;
  }

  #stop(): void {
    this.#leaving.abort();
    this.#tries?.stop();
  }

  #chunk({ text, event, provider, model, tokens, seam }: Piece): StreamingChunk {
    const chunk = this.#textChunk(text, provider, model, tokens);
    if (event) chunk.event = event;
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
      timestamp: nowish(),
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

  #respond(answered: Answered, { structured, tools }: Prepared): LLMResponse {
    const { text, toolCalls } = answered;
    const read = structured && toolCalls.length === 0 ? structured.read(text) : undefined;
    const checked = tools ? { ...answered, toolCalls: toolCalls.map(call => tools.checked(call)) } : answered;
    return responseOf(checked, read && 'value' in read ? read : undefined, {
      requestId: this.#requestId,
      agentName: this.#context.agentName,
      ledger: this.#ledger,
      seams: this.#answering?.seams ?? [],
      skipped: this.#tries?.skipped ?? [],
      routes: this.#tries?.routes ?? [],
      cache: this.#answering?.cached?.outcome,
      savedUsd: this.#answering?.cached?.savedUsd ?? 0,
      request: this.#request.metadata,
      latencyMs: this.#clock.elapsedMs,
      streamed: this.#context.streamed,
    });
  }

  /** The call is over. */
  #book(response: LLMResponse | undefined): void {
    const outcome = this.#outcome(response);
    const { promptTokens, completionTokens, totalTokens } = this.#ledger.billed;
    this.#context.stats.ended(outcome, {
      agentName: this.#context.agentName,
      latencyMs: this.#clock.elapsedMs,
      firstChunkMs: this.#firstChunkMs,
      promptTokens,
      completionTokens,
      totalTokens,
      costUsd: this.#ledger.costUsd,
    });
    if (this.#operation === SILENT_OPERATION) return;
    const { cached, seams } = this.#answering ?? {};
    const { outcome: cache, savedUsd } = cached ?? {};
    const { error } = this.#reply;
    this.#operation.annotate({
      cache,
      savedUsd: cache === 'miss' ? undefined : savedUsd,
      seams: seams?.length || undefined,
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

/** The chunks of one millisecond have one date. */
let lastDate = new Date(0);

function nowish(): Date {
  const now = Date.now();
  if (lastDate.getTime() !== now) lastDate = new Date(now);
  return lastDate;
}

/** The limit that kept a call back. */
function limitFactsOf(error: AirframeError | undefined): Facts {
  if (error?.code !== 'limit_reached') return {};
  const { rule } = (error.cause ?? {}) as { rule?: string };
  return { limit: rule, limitRetryMs: error.retryAfterMs };
}
