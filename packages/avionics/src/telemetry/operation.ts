import {
  type Attributes,
  type Context,
  context,
  type Span,
  SpanKind,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { AirframeError } from '@x/airframe';
import {
  type AttemptEnd,
  type AttemptTelemetry,
  markFailed,
  RecordedAttempt,
  type RecordingOptions,
} from './attempt.ts';
import { type AnyRequest, factsOfRequest, factsOfServer, providerNameOf } from './attributes.ts';
import { contentOfRequest } from './content.ts';
import type { Instruments } from './instruments.ts';
import { type Facts, named } from './names.ts';

/** What is known of an operation when it begins. */
export interface OperationInfo {
  operation: 'chat' | 'text_completion' | 'embeddings';
  /** Type of the provider asked first, as settings name it, e.g. `llamaserver`. */
  provider: string;
  /** Model asked for; undefined: the provider's own. */
  model?: string | undefined;
  agentName?: string | undefined;
  /** The answer is read as a stream. */
  streamed?: boolean;
  /** What is asked; its parameters stand on the span. */
  request?: AnyRequest | undefined;
}

/** What is known of an attempt before it is made. */
export interface AttemptInfo {
  /** Type of the provider, as settings name it. */
  provider: string;
  /** Model asked for; undefined: the provider's own. */
  model?: string | undefined;
  /** Root of the backend's API; a `file:` URL for a model in this process. */
  baseUrl?: string | undefined;
  /** As the provider gets it, its defaults included. */
  request?: AnyRequest | undefined;
}

/** What an operation gets from its {@link Telemetry}. */
export interface OperationTools extends RecordingOptions {
  tracer: Tracer;
  /** undefined: nobody measures. */
  instruments: Instruments | undefined;
}

/** One call of the gateway, from its first attempt to its last. */
export interface OperationTelemetry {
  /** A provider is asked. After a failed attempt it is a fallback, and its span says from where. */
  attempt(info: AttemptInfo): AttemptTelemetry;
  /** Runs something with the operation's span as the active one. */
  run<T>(work: () => T): T;
  /** Facts that become known on the way: `{cache: 'hit', savedUsd}`, `{limit}`, `{skipped: ['openai']}`. */
  annotate(facts: Facts): void;
  /** The operation is over, after its attempts; whatever is called afterwards changes nothing. */
  ended(end?: { error?: AirframeError | undefined }): void;
}

/** An operation that somebody sees or measures. */
export class RecordedOperation implements OperationTelemetry {
  readonly #tools: OperationTools;
  readonly #info: OperationInfo;
  readonly #span: Span;
  readonly #context: Context;
  readonly #startedAt: number;
  #attempts = 0;
  #last: { provider: string; end?: AttemptEnd } | undefined;
  #costUsd = 0;
  #priced = true;
  /** Milliseconds from the start. */
  #firstChunkMs: number | undefined;
  #ended = false;

  constructor(tools: OperationTools, info: OperationInfo) {
    const { operation, provider, model, agentName, request, streamed } = info;
    this.#tools = tools;
    this.#info = info;
    this.#startedAt = tools.clock();
    const parent = context.active();
    this.#span = tools.tracer.startSpan(
      spanName(operation, model),
      {
        kind: SpanKind.INTERNAL,
        attributes: named({ ...this.#identity(provider, model), agent: agentName }),
      },
      parent,
    );
    this.#context = trace.setSpan(parent, this.#span);
    if (!this.#span.isRecording()) return;
    const asked = request ? factsOfRequest(request, provider) : {};
    this.#span.setAttributes(named({ ...asked, stream: streamed || undefined }));
  }

  attempt({ provider, model, baseUrl, request }: AttemptInfo): AttemptTelemetry {
    const { tracer, clock, captureContent } = this.#tools;
    const { operation, agentName: agent, streamed = false } = this.#info;
    const attributes: Attributes = named({
      ...this.#identity(provider, model),
      ...factsOfServer(baseUrl),
    });
    const kind = baseUrl?.startsWith('file:') ? SpanKind.INTERNAL : SpanKind.CLIENT;
    const span = tracer.startSpan(
      spanName(operation, model),
      { kind, attributes: { ...attributes, ...named({ agent }) } },
      this.#context,
    );
    const from = this.#last;
    const last: { provider: string; end?: AttemptEnd } = { provider };
    this.#last = last;
    this.#attempts++;
    if (span.isRecording()) {
      const failure = from?.end?.error;
      span.setAttributes(
        named({
          providerType: provider,
          attempt: this.#attempts,
          stream: streamed || undefined,
          fallbackFrom: failure && from?.provider,
          fallbackReason: failure?.category,
          ...(request ? factsOfRequest(request, provider) : {}),
          ...(request && captureContent ? contentOfRequest(request) : {}),
        }),
      );
    }
    return new RecordedAttempt({
      span,
      context: trace.setSpan(this.#context, span),
      ...this.#tools,
      ...{ operation, provider, agent, attributes, streamed },
      onFirstChunk: () => {
        this.#firstChunkMs ??= clock() - this.#startedAt;
      },
      onEnd: end => {
        last.end = end;
        this.#costUsd += end.cost?.costUsd ?? 0;
        this.#priced &&= end.cost?.priced ?? true;
      },
    });
  }

  run<T>(work: () => T): T {
    return context.with(this.#context, work);
  }

  annotate(facts: Facts): void {
    if (this.#span.isRecording()) this.#span.setAttributes(named(facts));
  }

  ended({ error }: { error?: AirframeError | undefined } = {}): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#span.isRecording()) {
      this.#span.setAttributes(named(this.#outcome()));
      markFailed(this.#span, error);
    }
    this.#measure(error);
    this.#span.end();
  }

  /** Tokens stand on the attempts alone: added up over the spans of a trace they are what was paid for. */
  #outcome(): Facts {
    const { provider, end } = this.#last ?? {};
    const { streamed } = this.#info;
    const asked = this.#attempts > 0;
    return {
      provider: provider && providerNameOf(provider),
      attempts: this.#attempts,
      responseModel: end?.model,
      finishReasons: end?.finishReason && [end.finishReason],
      timeToFirstChunk: streamed && this.#firstChunkMs !== undefined ? this.#firstChunkMs / 1_000 : undefined,
      costUsd: asked ? this.#costUsd : undefined,
      priced: asked ? this.#priced : undefined,
    };
  }

  #measure(error: AirframeError | undefined): void {
    const { instruments, clock } = this.#tools;
    if (!instruments) return;
    const { operation, agentName: agent, model: requestModel } = this.#info;
    const attributes = named({ operation, agent, requestModel, errorType: error?.category });
    instruments.operation.record((clock() - this.#startedAt) / 1_000, attributes, this.#context);
  }

  #identity(provider: string, requestModel: string | undefined): Facts {
    return { operation: this.#info.operation, provider: providerNameOf(provider), requestModel };
  }
}

function spanName(operation: string, model: string | undefined): string {
  return model === undefined ? operation : `${operation} ${model}`;
}
