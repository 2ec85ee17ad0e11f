import { randomUUID } from 'node:crypto';
import { AirframeError, type DoneEvent, type InferenceRequest, type InferenceStream } from '@x/airframe';
import type { Logger } from '../logger.ts';
import type { LLMProvider } from '../providers/base.ts';
import { defined } from '../providers/options.ts';
import type { BreakerBoard } from '../routing/breaker.ts';
import { type Answer, type Candidate, firstToAnswer } from '../routing/fallback.ts';
import { CallClock } from './clock.ts';
import { CallLedger } from './ledger.ts';
import { Meter, type ResourceCallback } from './meter.ts';
import { ReplySoFar } from './reply-so-far.ts';
import { type CompletionRequest, inferenceRequestOf, type MidStreamPolicy, timeoutsOf } from './request.ts';
import {
  finalChunkOf,
  type LLMResponse,
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
  #stopped = false;
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
      const answer = yield* this.#answered(prepared);
      response = this.#respond(answer, prepared);
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

  /** Yields the text as it comes; returns the answer it came from at last. */
  async *#answered({ request, structured }: Prepared): AsyncGenerator<StreamingChunk, Answer, undefined> {
    const seams = new SeamKeeper(this.#request.midStream ?? this.#context.midStream, structured);
    const reply = this.#reply;
    let asked = request;
    let queue = this.#queue(() => asked);
    let answer = await this.#open(queue);
    for (;;) {
      try {
        while (!reply.done && !reply.error) {
          const event = answer.head.shift() ?? (await answer.stream.next()).value;
          const text = reply.take(event ?? { type: 'error', error: endless(answer) });
          if (text) yield this.#chunk(answer, { text });
        }
      } finally {
        await this.#settle(answer);
      }
      const broken = reply.error;
      const turn = seams.after(reply, answer.candidate, queue);
      if (!turn) return answer;
      asked = extended(request, turn.messages);
      queue = turn.queue;
      const from = answer.provider.name;
      if (turn.seam.policy === 'continue') reply.continue();
      else reply.restart();
      answer = await this.#open(queue).catch(error => {
        // What broke the answer off tells more than who could not take it up.
        throw broken && !this.#stopped ? broken : error;
      });
      const seam = { ...turn.seam, from, to: answer.provider.name };
      this.#seams.push(seam);
      if (this.#firstChunkMs !== undefined) yield this.#chunk(answer, { text: '', seam });
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

  #candidate({ name, model, provider: find }: Destination, request: () => InferenceRequest): Candidate {
    return {
      name,
      open: () => {
        if (!this.#stopped) this.#controller = new AbortController();
        const { signal } = this.#controller;
        const options = { signal, ...defined({ timeouts: this.#clock.timeouts }) };
        const provider = find();
        const prepared = provider.prepare({ ...request(), ...defined({ model }) });
        return { provider, model, stream: provider.infer(prepared, options) };
      },
    };
  }

  #stop(): void {
    this.#stopped = true;
    this.#controller.abort();
  }

  #chunk({ provider, model }: Answer, what: Pick<StreamingChunk, 'text' | 'seam'>): StreamingChunk {
    this.#firstChunkMs ??= this.#clock.elapsedMs;
    return this.#announced({
      ...what,
      isFinal: false,
      requestId: this.#requestId,
      agentName: this.#context.agentName,
      provider: provider.name,
      model: model ?? provider.defaultModel ?? 'default',
      cumulativeTokens: this.#reply.counted,
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
  #respond(answer: Answer, { structured, tools }: Prepared): LLMResponse {
    const { provider, model } = answer;
    const { done, error, text, toolCalls } = this.#reply;
    if (error || !done) throw error ?? endless(answer);
    const read = structured && toolCalls.length === 0 ? structured.read(text) : undefined;
    return responseOf({
      requestId: this.#requestId,
      agentName: this.#context.agentName,
      provider: provider.name,
      model: done.model ?? model ?? provider.defaultModel ?? 'default',
      text,
      object: read && 'value' in read ? read : undefined,
      toolCalls: tools ? toolCalls.map(call => tools.checked(call)) : toolCalls,
      message: this.#reply.message,
      done,
      tokensBefore: this.#reply.tokensBefore,
      ledger: this.#ledger,
      seams: this.#seams,
      skipped: this.#skipped,
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
