import { type Attributes, type Context, context, type Span, SpanStatusCode } from '@opentelemetry/api';
import type { AirframeError, AssistantMessage, DoneEvent } from '@x/airframe';
import type { CostMetrics } from '../cost/calculator.ts';
import { attributesOfRoute, factsOfServer, factsOfUsage, hasTiers, statusMessageOf } from './attributes.ts';
import { contentOfReply } from './content.ts';
import type { Instruments } from './instruments.ts';
import { type Facts, named, ROUTE } from './names.ts';
import { traceHeaders } from './trace-context.ts';

/** How an attempt ended: what of a `done` event or a result of `embed` there is, and what else is known. */
export interface AttemptEnd
  extends Partial<
    Pick<DoneEvent, 'usage' | 'finishReason' | 'responseId' | 'model' | 'serviceTier' | 'attempts'>
  > {
  error?: AirframeError | undefined;
  cost?: Pick<CostMetrics, 'costUsd' | 'priced'> | undefined;
  /** The answer, or what came of it; looked at only where content is captured. */
  message?: AssistantMessage | undefined;
}

/** Where a router sent an attempt, and why. */
export interface RouteFacts {
  node: string;
  /** Root of the node's API. */
  baseUrl?: string | undefined;
  /** Plain values; they stand below `avionics.route`. */
  reasons?: object | undefined;
}

/** What is recorded, and by which clock. */
export interface RecordingOptions {
  /** Milliseconds. */
  clock: () => number;
  captureContent: boolean;
  sendTraceContext: boolean;
  timePerChunk: boolean;
}

/** What an attempt gets from its operation. */
export interface AttemptFrame extends RecordingOptions {
  span: Span;
  context: Context;
  /** undefined: nobody measures. */
  instruments: Instruments | undefined;
  operation: string;
  /** Type of the provider. */
  provider: string;
  agent: string | undefined;
  /** Of the metrics. */
  attributes: Attributes;
  streamed: boolean;
  onFirstChunk(): void;
  onEnd(end: AttemptEnd): void;
}

/** One provider's part in an operation: a span below the operation's, and the metrics of a client call. */
export interface AttemptTelemetry {
  /** `InferOptions.headers` by which the backend's own spans join the trace; undefined without a trace. */
  headers(): Record<string, string> | undefined;
  /** Runs something with the attempt's span as the active one, e.g. the first `next()` of its stream. */
  run<T>(work: () => T): T;
  /** Facts that become known on the way. */
  annotate(facts: Facts): void;
  /** A router has chosen a node; it may do so again when that one fails. */
  routed(route: RouteFacts): void;
  /** A piece of output has come. Called for each; but for the first it does nothing unless somebody measures. */
  chunk(): void;
  /** The attempt is over; whatever is called afterwards changes nothing. */
  ended(end?: AttemptEnd): void;
}

/** An attempt that somebody sees or measures. */
export class RecordedAttempt implements AttemptTelemetry {
  readonly #frame: AttemptFrame;
  readonly #startedAt: number;
  readonly #timesChunks: boolean;
  /** Milliseconds from the start. */
  #firstChunkMs: number | undefined;
  #lastChunkAt = 0;
  #ended = false;

  constructor(frame: AttemptFrame) {
    this.#frame = frame;
    this.#timesChunks = frame.streamed && frame.timePerChunk && frame.instruments !== undefined;
    this.#startedAt = frame.clock();
  }

  headers(): Record<string, string> | undefined {
    return this.#frame.sendTraceContext ? traceHeaders(this.#frame.span.spanContext()) : undefined;
  }

  run<T>(work: () => T): T {
    return context.with(this.#frame.context, work);
  }

  annotate(facts: Facts): void {
    if (this.#frame.span.isRecording()) this.#frame.span.setAttributes(named(facts));
  }

  routed({ node, baseUrl, reasons = {} }: RouteFacts): void {
    const { span, attributes } = this.#frame;
    const server = named(factsOfServer(baseUrl));
    Object.assign(attributes, server);
    if (!span.isRecording()) return;
    const route = { ...named({ node }), ...attributesOfRoute(reasons) };
    span.setAttributes({ ...server, ...route });
    span.addEvent(ROUTE, route);
  }

  chunk(): void {
    if (this.#firstChunkMs === undefined) this.#first();
    else if (this.#timesChunks) this.#next();
  }

  #first(): void {
    const now = this.#frame.clock();
    this.#firstChunkMs = now - this.#startedAt;
    this.#lastChunkAt = now;
    this.#frame.onFirstChunk();
  }

  #next(): void {
    const { clock, instruments, attributes, context } = this.#frame;
    const now = clock();
    instruments?.timePerChunk.record((now - this.#lastChunkAt) / 1_000, attributes, context);
    this.#lastChunkAt = now;
  }

  ended(end: AttemptEnd = {}): void {
    if (this.#ended) return;
    this.#ended = true;
    const { span } = this.#frame;
    if (span.isRecording()) {
      span.setAttributes(named(this.#factsOf(end)));
      markFailed(span, end.error);
    }
    this.#measure(end);
    span.end();
    this.#frame.onEnd(end);
  }

  #factsOf({
    usage,
    finishReason,
    responseId,
    model,
    serviceTier,
    attempts,
    error,
    cost,
    message,
  }: AttemptEnd): Facts {
    const { streamed, provider, captureContent } = this.#frame;
    const retries = (attempts?.length ?? 0) - 1;
    return {
      responseId,
      responseModel: model,
      finishReasons: finishReason && [finishReason],
      timeToFirstChunk: streamed && this.#firstChunkMs !== undefined ? this.#firstChunkMs / 1_000 : undefined,
      responseServiceTier: hasTiers(provider) ? serviceTier : undefined,
      httpStatus: error?.status ?? attempts?.at(-1)?.status,
      retries: retries > 0 ? retries : undefined,
      ...(usage ? factsOfUsage(usage) : {}),
      costUsd: cost?.costUsd,
      priced: cost?.priced,
      ...(captureContent && message ? contentOfReply(message, finishReason) : {}),
    };
  }

  #measure({ usage, model, error, cost }: AttemptEnd): void {
    const { instruments, clock, context, streamed, operation, agent } = this.#frame;
    if (!instruments) return;
    const attributes = { ...this.#frame.attributes, ...named({ responseModel: model }) };
    const timed = { ...attributes, ...named({ errorType: error?.category }) };
    instruments.duration.record((clock() - this.#startedAt) / 1_000, timed, context);
    if (streamed && this.#firstChunkMs !== undefined) {
      instruments.timeToFirstChunk.record(this.#firstChunkMs / 1_000, attributes, context);
    }
    // The conventions want no figures that are guessed.
    if (usage?.source === 'reported') {
      const count = (tokenType: string, tokens: number) =>
        instruments.tokens.record(tokens, { ...attributes, ...named({ tokenType }) }, context);
      count('input', usage.promptTokens);
      if (operation !== 'embeddings') count('output', usage.completionTokens);
    }
    if (cost?.priced) instruments.cost.add(cost.costUsd, { ...attributes, ...named({ agent }) }, context);
  }
}

/** A call that its caller gave up is no failure; its `error.type` tells it from one that came to its end. */
export function markFailed(span: Span, error: AirframeError | undefined): void {
  if (!error) return;
  span.setAttributes(named({ errorType: error.category }));
  if (error.category === 'aborted') return;
  span.setStatus({ code: SpanStatusCode.ERROR, message: statusMessageOf(error) });
}
