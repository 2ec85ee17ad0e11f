import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { AirframeError, type DoneEvent, type InferenceStreamEvent } from '@x/airframe';
import type { Facts } from '../telemetry/names.ts';
import type { OperationTelemetry } from '../telemetry/operation.ts';
import { SILENT_OPERATION } from '../telemetry/silent.ts';
import { Answering, answeredBy, type BegunAnswer } from './answering.ts';
import { ChunkMaker } from './chunk-maker.ts';
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
  type LLMResponse,
  responseOf,
  type StreamingChunk,
} from './response.ts';
import { type Beginning, type ShortWay, shortWay } from './short-way.ts';
import type { CallOutcome } from './stats.ts';
import { CallTries } from './tries.ts';

/** How a call ends whose consumer goes; nobody gets to see it. */
const LEFT = new AirframeError('aborted', 'the consumer left the stream');

type Step = IteratorResult<StreamingChunk, undefined>;

const END: Step = { done: true, value: undefined };

/**
 * One call of the gateway, from the first provider tried to the last token accounted for. It goes the short way (see
 * {@link shortWay}) as far as that leads, and where it leads no further, by a refusal or a failure, the long one.
 */
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
  readonly #chunks: ChunkMaker;
  #hasBegun = false;
  #isOver = false;
  #beginning: Beginning = {};
  /** The first provider's answer, as long as nothing is wrong with it. */
  #short: ShortWay | undefined;
  #long: AsyncGenerator<StreamingChunk, undefined, undefined> | undefined;
  /** Calls of {@link next} that are not answered yet. */
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(request: CompletionRequest, context: CallContext) {
    this.#request = request;
    this.#requestId = request.requestId ?? randomUUID();
    this.#context = context;
    this.#meter = new Meter(context.resourceCallback, context.agentName, context.logger);
    this.#ledger = new CallLedger(context.stats, this.#meter);
    this.#reply = new ReplySoFar(this.#meter);
    this.#chunks = new ChunkMaker(this.#requestId, context, this.#clock, this.#reply);
  }

  /** The next chunk, when it lies there already. For those who would pay for a promise with every piece. */
  poll(): StreamingChunk | undefined {
    if (this.#waiting > 0 || this.#isOver) return undefined;
    const short = this.#long ? undefined : this.#short;
    if (!short) return this.#quick();
    return this.#reply.error || short.closing ? undefined : this.#read(short, undefined);
  }

  /**
   * The next chunk; the last one carries the response. Several calls at once are answered in their order.
   * @throws AirframeError with the log of all tries, after all chunks that came
   */
  next(): Promise<Step> {
    const value = this.poll();
    if (value) return Promise.resolve({ done: false, value });
    const again = () => this.#step();
    const step = this.#waiting++ === 0 ? this.#step() : this.#last.then(again, again);
    this.#last = step;
    return step;
  }

  /** Leaves: stops the backend, and still accounts for what was used. */
  async return(): Promise<Step> {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#isOver = true;
      return END;
    }
    this.#reply.error = LEFT;
    this.#stop();
    // The short way leads to the long one now.
    while (!this.#long && !this.#isOver) await this.next().catch(() => {});
    await this.#long?.return(undefined);
    return END;
  }

  /** How far the call has come. */
  progress(): CallProgress {
    const { attempts, billed, costUsd, priced } = this.#ledger;
    const { routes = this.#short?.routes ?? [], skipped = [] } = this.#tries ?? {};
    const { cached, limits = this.#short?.limits ?? [] } = this.#answering ?? {};
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
    if (this.#chunks.firstMs !== undefined) progress.firstOutputMs = this.#chunks.firstMs;
    return progress;
  }

  async #step(): Promise<Step> {
    try {
      if (!this.#hasBegun) {
        const begun = this.#begin();
        if (begun) await begun;
      }
      while (this.#short && !this.#long && !this.#isOver) {
        const value = await this.#stepShort(this.#short);
        if (value) return { done: false, value };
      }
      return this.#long ? await this.#long.next() : END;
    } finally {
      this.#waiting--;
    }
  }

  /** @returns undefined: it has begun */
  #begin(): Promise<void> | undefined {
    this.#hasBegun = true;
    const { signal } = this.#request;
    // One listener for each call under way: many calls on one signal are no leak.
    if (signal instanceof EventTarget) setMaxListeners(0, signal);
    if (signal?.aborted) this.#stop();
    else signal?.addEventListener('abort', this.#stop, { once: true });
    this.#context.stats.began();
    const ends = { clock: this.#clock, left: this.#leaving };
    const beginning = shortWay(this.#request, this.#context, ends);
    if (beginning instanceof Promise) return beginning.then(this.#goes);
    this.#goes(beginning);
    return undefined;
  }

  readonly #goes = (beginning: Beginning): void => {
    this.#beginning = beginning;
    this.#short = beginning.short;
    if (!this.#short) this.#long = this.#longWay();
    else if (this.#leaving.aborted) this.#short.stop();
  };

  async #stepShort(short: ShortWay): Promise<StreamingChunk | undefined> {
    if (short.closing) return this.#closed(short, short.closing);
    if (this.#reply.error || this.#leaving.aborted) return this.#goOn(short, []);
    const chunk = this.#read(short, undefined);
    if (chunk || this.#long || short.closing) return chunk;
    let event: InferenceStreamEvent | undefined;
    try {
      event = (await short.stream.next()).value;
    } catch (thrown) {
      event = failureOf(thrown);
    }
    if (!event || this.#reply.error) return this.#goOn(short, event ? [event] : []);
    return this.#read(short, event);
  }

  async #closed(short: ShortWay, closing: Promise<void>): Promise<StreamingChunk> {
    try {
      await closing;
    } catch (thrown) {
      const error = AirframeError.from(thrown).with({ attempts: this.#ledger.attempts });
      this.#reply.error ??= error;
      this.#over(undefined);
      throw error;
    }
    return this.#concluded(short);
  }

  /**
   * Takes an event in, and those behind it that lie there, up to the next that the consumer gets. A provider, or a price,
   * that throws is out of the ordinary.
   */
  #read(short: ShortWay, first: InferenceStreamEvent | undefined): StreamingChunk | undefined {
    try {
      for (let event = first ?? short.poll(); event; event = short.poll()) {
        if (event.type === 'error') return this.#goOn(short, [event]);
        const output = this.#reply.take(event);
        if (output) short.answered();
        if (output && (output.type === 'token' || this.#request.output === 'all')) {
          short.hasOutput = true;
          return this.#chunks.output(output, short.source);
        }
        if (this.#reply.done) {
          short.settle(this.#ledger, this.#reply.done, this.#reply.message);
          return short.closing ? undefined : this.#concluded(short);
        }
      }
    } catch (thrown) {
      return this.#goOn(short, [failureOf(thrown)]);
    }
    return undefined;
  }

  /** The rest is out of the ordinary. */
  #goOn(short: ShortWay, head: InferenceStreamEvent[]): undefined {
    this.#long = this.#longWay({ ...short.begun, head });
  }

  #concluded(short: ShortWay): StreamingChunk {
    const { done } = this.#reply as { done: DoneEvent };
    const response = this.#respond(answeredBy(short.source, this.#reply, done), PLAIN);
    this.#over(response);
    return this.#chunks.final(response);
  }

  /** The long way. */
  async *#longWay(begun?: BegunAnswer): AsyncGenerator<StreamingChunk, undefined, undefined> {
    let response: LLMResponse | undefined;
    try {
      this.#clock.limit(timeoutsOf(this.#request));
      const asked = prepared(this.#request);
      const source = this.#open(asked, begun).pieces();
      let step = await source.next();
      try {
        for (; !step.done; step = await source.next()) {
          // A cache, or another call that is shared, may give more than was asked for.
          if (!step.value.event || this.#request.output === 'all') yield this.#chunks.piece(step.value);
        }
      } finally {
        if (!step.done) await source.return(undefined as never);
      }
      response = this.#respond(step.value, asked);
    } catch (thrown) {
      if (!this.#answering) giveBack(this.#beginning.allowed, begun);
      this.#reply.error ??= AirframeError.from(thrown);
      if (this.#reply.error !== LEFT) throw this.#reply.error.with({ attempts: this.#ledger.attempts });
    } finally {
      this.#over(response);
    }
    // After all is booked: a consumer may take the final chunk and never ask again.
    if (response) yield this.#chunks.final(response);
  }

  /** @throws AirframeError (invalid_request) for what cannot be asked; SettingsError */
  #open(asked: Prepared, begun: BegunAnswer | undefined): Answering {
    const [context, clock, ledger] = [this.#context, this.#clock, this.#ledger];
    const { agentName, streamed, telemetry } = context;
    const { destinations = context.destinations(), allowed } = this.#beginning;
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
      begun,
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
      allowed,
      begun,
    });
    return this.#answering;
  }

  #quick(): StreamingChunk | undefined {
    const answering = this.#answering;
    const output = answering?.poll();
    const source = answering?.source;
    return output && source && this.#chunks.output(output, source);
  }

  readonly #stop = (): void => {
    this.#leaving.abort();
    this.#short?.stop();
    this.#tries?.stop();
  };

  #respond(answered: Answered, { structured, tools }: Pick<Prepared, 'structured' | 'tools'>): LLMResponse {
    const { text, toolCalls } = answered;
    const read = structured && toolCalls.length === 0 ? structured.read(text) : undefined;
    const checked = tools ? { ...answered, toolCalls: toolCalls.map(call => tools.checked(call)) } : answered;
    return responseOf(checked, read && 'value' in read ? read : undefined, {
      requestId: this.#requestId,
      agentName: this.#context.agentName,
      ledger: this.#ledger,
      seams: this.#answering?.seams ?? [],
      skipped: this.#tries?.skipped ?? [],
      routes: this.#tries?.routes ?? this.#short?.routes ?? [],
      cache: this.#answering?.cached?.outcome,
      savedUsd: this.#answering?.cached?.savedUsd ?? 0,
      request: this.#request.metadata,
      latencyMs: this.#clock.elapsedMs,
      streamed: this.#context.streamed,
    });
  }

  /** The call is over. */
  #over(response: LLMResponse | undefined): void {
    this.#request.signal?.removeEventListener('abort', this.#stop);
    this.#isOver = true;
    const outcome = this.#outcome(response);
    const { promptTokens, completionTokens, totalTokens } = this.#ledger.billed;
    this.#context.stats.ended(outcome, {
      agentName: this.#context.agentName,
      latencyMs: this.#clock.elapsedMs,
      firstChunkMs: this.#chunks.firstMs,
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

function failureOf(thrown: unknown): InferenceStreamEvent {
  return { type: 'error', error: AirframeError.from(thrown) };
}

/** Of a call without schema and tools. */
const PLAIN: Pick<Prepared, 'structured' | 'tools'> = { structured: undefined, tools: undefined };

/** Of a call that cannot go on: the gateway has been closed meanwhile, say. */
function giveBack(allowed: Beginning['allowed'], begun: BegunAnswer | undefined): void {
  begun?.ending.abort();
  if (allowed)
    void Promise.resolve(allowed)
      .then(({ reservation }) => reservation.release())
      .catch(() => {});
}

/** The limit that kept a call back. */
function limitFactsOf(error: AirframeError | undefined): Facts {
  if (error?.code !== 'limit_reached') return {};
  const { rule } = (error.cause ?? {}) as { rule?: string };
  return { limit: rule, limitRetryMs: error.retryAfterMs };
}
