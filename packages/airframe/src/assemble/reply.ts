import { AirframeError, type Attempt, attemptOf } from '../errors.ts';
import type {
  AssistantMessage,
  DoneEvent,
  FinishReason,
  RateLimits,
  ReasoningPart,
  Timings,
  ToolCall,
  Usage,
} from '../events.ts';
import { EventQueue } from './event-queue.ts';
import { TextBuffer } from './text-buffer.ts';
import { type ToolCallFragment, ToolCalls } from './tool-calls.ts';

/** Characters a token has on average; used only where the backend reports nothing. */
export const CHARS_PER_TOKEN = 4;

/** Figures a backend reports; totals and the source are worked out here. */
export type ReportedUsage = Partial<Omit<Usage, 'totalTokens' | 'source'>>;

/** A piece of thinking under way; a signature ends it. */
interface OpenReasoning {
  text: TextBuffer;
  signature: string | undefined;
}

/**
 * One reply being received. An adapter writes what it reads; events come out in the order of the stream
 * contract, and the ending is decided here, for all adapters alike.
 */
export class Reply {
  /**
   * Events not yet read by the consumer.
   * @internal
   */
  readonly events: EventQueue = new EventQueue();
  readonly #text = new TextBuffer();
  readonly #reasoning: OpenReasoning[] = [];
  readonly #toolCalls = new ToolCalls();
  #deltas = 0;
  #chars = 0;
  #usage: ReportedUsage = {};
  #backendTimings: Partial<Timings> = {};
  #finishReason: FinishReason | undefined;
  #responseId: string | undefined;
  #serviceTier: string | undefined;
  #rateLimits: RateLimits | undefined;
  #model: string | undefined;
  #status: number | undefined;
  #requestId: string | undefined;
  #ended = false;
  #firstOutputAt: number | undefined;
  readonly #startedAt = Date.now();
  readonly #startedTick = performance.now();
  readonly #endpointName: string;
  readonly #promptChars: () => number;

  /** @param promptChars length of the prompt in characters, for an estimate when the backend reports nothing */
  constructor(endpointName: string, promptChars: () => number = () => 0) {
    this.#endpointName = endpointName;
    this.#promptChars = promptChars;
  }

  /** True once the backend has said how the reply ended. */
  get finished(): boolean {
    return this.#finishReason !== undefined;
  }

  /** True once `done` has been written. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True once it has both names that every chunk repeats: the response's id and the model. */
  get identified(): boolean {
    return Boolean(this.#responseId && this.#model);
  }

  /** Text of the answer, as it came; an empty one is no output. */
  text(text: string): void {
    if (text === '' || this.#ended) return;
    this.#text.add(text);
    this.#output(text.length);
    this.events.push({ type: 'token', text });
  }

  /**
   * Thinking, as it came.
   * @param signature opaque; goes back to the backend in the next request's history
   */
  reasoning(text: string, signature?: string): void {
    if ((text === '' && signature === undefined) || this.#ended) return;
    const last = this.#reasoning.at(-1);
    if (last && last.signature === undefined) {
      last.text.add(text);
      last.signature = signature;
    } else {
      const part: OpenReasoning = { text: new TextBuffer(), signature };
      part.text.add(text);
      this.#reasoning.push(part);
    }
    this.#output(text.length);
    this.events.push(
      signature === undefined ? { type: 'reasoning', text } : { type: 'reasoning', text, signature },
    );
  }

  /** A fragment of a tool call; fragments of the same `index` are joined. */
  toolCall(fragment: ToolCallFragment): void {
    if (this.#ended) return;
    const delta = this.#toolCalls.add(fragment);
    this.#output(delta.argumentsDelta.length);
    this.events.push(delta);
  }

  /** Takes over the figures given; a later figure replaces an earlier one. */
  usage(usage: ReportedUsage): void {
    Object.assign(this.#usage, usage);
  }

  /** The backend's own timings, as far as it tells them. */
  timings(timings: Omit<Partial<Timings>, 'firstTokenMs' | 'totalMs'>): void {
    Object.assign(this.#backendTimings, timings);
  }

  /** What tells the call apart at the backend. The first non-empty value of each stays. */
  identify(ids: {
    responseId?: string | undefined;
    model?: string | undefined;
    requestId?: string | undefined;
    serviceTier?: string | undefined;
    status?: number | undefined;
  }): void {
    this.#responseId ||= ids.responseId;
    this.#model ||= ids.model;
    this.#requestId ||= ids.requestId;
    this.#serviceTier ||= ids.serviceTier;
    this.#status ||= ids.status;
  }

  /** The backend's limits, as its headers tell them. */
  rateLimits(limits: RateLimits): void {
    this.#rateLimits = limits;
  }

  /** The backend's own end signal. The first one counts, but a filter may still object after it (Azure). */
  finish(reason: FinishReason): void {
    if (this.#finishReason === undefined || reason === 'content_filter') this.#finishReason = reason;
  }

  /** Ends the stream: with the reply when the backend finished it, else as truncated. */
  end(): void {
    if (this.#ended) return;
    if (this.#finishReason === undefined) {
      const text = `${this.#endpointName} closed the stream before it said how the reply ended; what came so far is incomplete`;
      this.fail(new AirframeError('connection', text, { code: 'truncated' }), 'truncated');
      return;
    }
    const toolCalls = this.#toolCalls.finish();
    toolCalls.forEach((call, index) => {
      this.events.push({ type: 'tool_call', index, call });
    });
    this.events.push({ type: 'message', message: this.#message(toolCalls) });
    const calledTools = this.#finishReason === 'stop' && toolCalls.length > 0;
    this.#done(calledTools ? 'tool_calls' : this.#finishReason, [this.#attempt()]);
  }

  /** Ends the stream with an error. */
  fail(cause: unknown, finishReason?: FinishReason): void {
    if (this.#ended) return;
    const error = AirframeError.from(cause);
    this.identify({ requestId: error.requestId, status: error.status });
    const attempts = [this.#attempt(error)];
    this.events.push({ type: 'error', error: error.with({ attempts }) });
    this.#done(finishReason ?? finishReasonOf(error), attempts);
  }

  #output(chars: number): void {
    this.#deltas++;
    this.#chars += chars;
    this.#firstOutputAt ??= performance.now();
  }

  #done(finishReason: FinishReason, attempts: readonly Attempt[]): void {
    this.#ended = true;
    const timings: Timings = { totalMs: performance.now() - this.#startedTick, ...this.#backendTimings };
    if (this.#firstOutputAt !== undefined) timings.firstTokenMs = this.#firstOutputAt - this.#startedTick;
    const done: DoneEvent = { type: 'done', finishReason, usage: this.#finalUsage(), timings, attempts };
    if (this.#responseId) done.responseId = this.#responseId;
    if (this.#model) done.model = this.#model;
    if (this.#serviceTier) done.serviceTier = this.#serviceTier;
    if (this.#rateLimits) done.rateLimits = this.#rateLimits;
    this.events.push(done);
  }

  #message(toolCalls: ToolCall[]): AssistantMessage {
    const message: AssistantMessage = { role: 'assistant', content: this.#text.toString() };
    if (this.#reasoning.length > 0) message.reasoning = this.#reasoning.map(finishedReasoning);
    if (toolCalls.length > 0) message.toolCalls = toolCalls;
    return message;
  }

  /** Reported figures as they are; a missing one is estimated, and then the whole says `estimated`. */
  #finalUsage(): Usage {
    const { promptTokens, completionTokens, cachedTokens, cacheWriteTokens } = this.#usage;
    const { cacheWrite1hTokens, reasoningTokens } = this.#usage;
    const reported = promptTokens !== undefined && completionTokens !== undefined;
    // Nothing came out and nothing was reported: the backend may never have seen the prompt.
    const prompt =
      promptTokens ?? (this.#deltas === 0 ? 0 : Math.ceil(this.#promptChars() / CHARS_PER_TOKEN));
    // A delta holds at least one token.
    const completion = completionTokens ?? Math.max(this.#deltas, Math.round(this.#chars / CHARS_PER_TOKEN));
    const usage: Usage = {
      promptTokens: prompt,
      completionTokens: completion,
      totalTokens: prompt + completion,
      source: reported ? 'reported' : 'estimated',
    };
    if (cachedTokens !== undefined) usage.cachedTokens = cachedTokens;
    if (cacheWriteTokens !== undefined) usage.cacheWriteTokens = cacheWriteTokens;
    if (cacheWrite1hTokens !== undefined) usage.cacheWrite1hTokens = cacheWrite1hTokens;
    if (reasoningTokens !== undefined) usage.reasoningTokens = reasoningTokens;
    return usage;
  }

  #attempt(error?: AirframeError): Attempt {
    return attemptOf(
      {
        endpoint: this.#endpointName,
        startedAt: this.#startedAt,
        durationMs: performance.now() - this.#startedTick,
        status: this.#status,
        requestId: this.#requestId,
        usage: error && this.#finalUsage(),
      },
      error,
    );
  }
}

function finishedReasoning({ text, signature }: OpenReasoning): ReasoningPart {
  return signature === undefined ? { text: text.toString() } : { text: text.toString(), signature };
}

function finishReasonOf(error: AirframeError): FinishReason {
  if (error.category === 'aborted') return 'aborted';
  if (error.category === 'content_filter') return 'content_filter';
  return error.code === 'idle_timeout' ? 'stalled' : 'error';
}
