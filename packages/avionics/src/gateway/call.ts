import { randomUUID } from 'node:crypto';
import {
  AirframeError,
  type AssistantMessage,
  type DoneEvent,
  type InferenceRequest,
  type InferenceStream,
  type InferenceStreamEvent,
  type ToolCall,
} from '@x/airframe';
import type { Logger } from '../logger.ts';
import type { LLMProvider } from '../providers/base.ts';
import { defined } from '../providers/options.ts';
import { type Answer, type Candidate, firstToAnswer } from '../routing/fallback.ts';
import { CallClock } from './clock.ts';
import { CallLedger } from './ledger.ts';
import { Meter, type ResourceCallback } from './meter.ts';
import { type CompletionRequest, inferenceRequestOf } from './request.ts';
import { finalChunkOf, type LLMResponse, responseOf, type StreamingChunk } from './response.ts';
import type { CallOutcome, StatsBook } from './stats.ts';

/** Where a call may go. */
export interface Destination {
  name: string;
  /** Model to ask for; undefined: the provider's own. */
  model: string | undefined;
  /** Finds the provider; may throw. */
  provider(): LLMProvider;
}

export interface CallContext {
  /** In the order they are to be tried. Throws when settings are wrong. */
  destinations(): readonly Destination[];
  agentName: string;
  streamed: boolean;
  stats: StatsBook;
  logger: Logger;
  resourceCallback: ResourceCallback | undefined;
  /** Called with each chunk before the consumer gets it. */
  onChunk: ((chunk: StreamingChunk) => void) | undefined;
}

/** How a call ends whose consumer goes; nobody gets to see it. */
const LEFT = new AirframeError('aborted', 'the consumer left the stream');

/** One call of the gateway, from the first provider tried to the last token accounted for. */
export class GatewayCall {
  readonly #requestId = randomUUID();
  readonly #request: CompletionRequest;
  readonly #context: CallContext;
  readonly #meter: Meter;
  readonly #ledger: CallLedger;
  readonly #controller = new AbortController();
  readonly #clock: CallClock;
  readonly #toolCalls: ToolCall[] = [];
  #text = '';
  #message: AssistantMessage | undefined;
  #done: DoneEvent | undefined;
  /** Why there will be no response. */
  #error: AirframeError | undefined;

  constructor(request: CompletionRequest, context: CallContext) {
    this.#request = request;
    this.#context = context;
    this.#clock = new CallClock(request.timeouts);
    this.#meter = new Meter(context.resourceCallback, context.agentName, context.logger);
    this.#ledger = new CallLedger(context.stats, this.#meter);
  }

  /** The consumer goes; a chunk it may be waiting for will not come. */
  leave(): void {
    this.#error = LEFT;
    this.#controller.abort();
  }

  /**
   * The answer, chunk by chunk; the last one carries the response. Leaving early stops the backend and still
   * accounts for what was used.
   * @throws AirframeError with the log of all tries, after all chunks that came
   */
  async *chunks(): AsyncGenerator<StreamingChunk, undefined, undefined> {
    const { signal } = this.#request;
    const onAbort = () => this.#controller.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    this.#context.stats.began();
    let response: LLMResponse | undefined;
    try {
      const answer = await this.#open();
      try {
        while (!this.#done && !this.#error) {
          const event = answer.head.shift() ?? (await answer.stream.next()).value;
          const text = this.#take(event ?? { type: 'error', error: endless(answer) });
          if (text) yield this.#chunk(answer, text);
        }
      } finally {
        await this.#settle(answer);
      }
      response = this.#respond(answer);
    } catch (thrown) {
      this.#error ??= AirframeError.from(thrown);
      if (this.#error !== LEFT) throw this.#error.with({ attempts: this.#ledger.attempts });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#context.stats.ended(this.#outcome(response), this.#clock.elapsedMs);
    }
    // After all is booked: a consumer may take the final chunk and never ask again.
    if (response) yield this.#announced(finalChunkOf(response));
  }

  async #open(): Promise<Answer> {
    const request = inferenceRequestOf(this.#request);
    const { destinations, stats, logger, agentName } = this.#context;
    const candidates = destinations().map(destination => this.#candidate(destination, request));
    const answer = await firstToAnswer(candidates, {
      before: () => {
        this.#clock.check();
        this.#meter.admit();
      },
      onFailure: failure => {
        this.#ledger.bookFailure(failure);
        const { name, error } = failure;
        const fields = { requestId: this.#requestId, agentName, error: error.message };
        logger.warn(`provider ${name} failed`, fields);
      },
    });
    if (this.#ledger.attempts.length > 0) stats.fellBack();
    return answer;
  }

  #candidate({ name, model, provider: find }: Destination, request: InferenceRequest): Candidate {
    const { signal } = this.#controller;
    return {
      name,
      open: () => {
        const options = { signal, ...defined({ timeouts: this.#clock.timeouts }) };
        const provider = find();
        const prepared = provider.prepare({ ...request, ...defined({ model }) });
        return { provider, model, stream: provider.infer(prepared, options) };
      },
    };
  }

  /** Takes an event in; returns the text that goes to the consumer. */
  #take(event: InferenceStreamEvent): string {
    switch (event.type) {
      case 'token':
        this.#text += event.text;
        this.#count();
        return event.text;
      case 'reasoning':
      case 'tool_call_delta':
        this.#count();
        break;
      case 'tool_call':
        this.#toolCalls.push(event.call);
        break;
      case 'message':
        this.#message = event.message;
        break;
      case 'error':
        this.#error ??= event.error;
        break;
      case 'done':
        this.#done = event;
        break;
    }
    return '';
  }

  /** A delta holds at least one token. */
  #count(): void {
    const stop = this.#meter.token();
    this.#error ??= stop;
  }

  #chunk({ provider, model }: Answer, text: string): StreamingChunk {
    return this.#announced({
      text,
      isFinal: false,
      requestId: this.#requestId,
      agentName: this.#context.agentName,
      provider: provider.name,
      model: model ?? provider.defaultModel ?? 'default',
      cumulativeTokens: this.#meter.counted,
      timestamp: new Date(),
    });
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
    if (!this.#done) {
      this.#controller.abort();
      this.#done = await doneOf(answer);
    }
    this.#ledger.book(answer, this.#done, this.#error?.category);
  }

  /** @throws AirframeError when the answer is not whole */
  #respond(answer: Answer): LLMResponse {
    const { provider, model } = answer;
    const done = this.#done;
    if (this.#error || !done) throw this.#error ?? endless(answer);
    return responseOf({
      requestId: this.#requestId,
      agentName: this.#context.agentName,
      provider: provider.name,
      model: done.model ?? model ?? provider.defaultModel ?? 'default',
      text: this.#text,
      toolCalls: this.#toolCalls,
      message: this.#message,
      done,
      ledger: this.#ledger,
      latencyMs: this.#clock.elapsedMs,
      streamed: this.#context.streamed,
    });
  }

  #outcome(response: LLMResponse | undefined): CallOutcome {
    if (response) return 'succeeded';
    const stopped = this.#error?.category === 'aborted' || this.#error?.code === 'resource_callback';
    return stopped ? 'stopped' : 'failed';
  }
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
