import type { IncomingMessage, ServerResponse } from 'node:http';
import { AirframeError } from '@x/airframe';
import type { CompletionRequest, CompletionStream, LLMResponse, StreamingChunk } from '@x/avionics';
import type { AnswerWriter, Asked, Protocol } from '../protocols/protocol.ts';
import { statusOf } from '../protocols/status.ts';
import {
  addAttempts,
  addFacts,
  addIgnored,
  addLimits,
  costHeader,
  errorHeaders,
  type Headers,
  limitsBehind,
  responseSource,
} from './headers.ts';
import { forClients } from './public-error.ts';
import type { CallRecorder } from './recorder.ts';
import { Sink, type SinkOptions } from './sink.ts';
import type { Placed } from './under-way.ts';

/** Most characters gathered before they are written: what lies there already goes out in one piece, up to this. */
const MAX_BATCH_CHARS = 64 * 1024;

export interface ExchangeOptions extends SinkOptions {
  requestId: string;
  protocol: Protocol;
  asked: Asked;
  request: CompletionRequest;
  complete(request: CompletionRequest): CompletionStream;
  recorder: CallRecorder;
  /** Called once, when the call is over. */
  over(): void;
}

/** One call: a client's request on the one side, the gateway's stream on the other. */
export class Exchange implements Placed {
  place = -1;
  readonly #raw: ServerResponse;
  readonly #options: ExchangeOptions;
  readonly #stream: CompletionStream;
  readonly #sink: Sink;
  #writing: AnswerWriter | undefined;
  /** Why the call ends though its answer does not: the client has gone or was cut off, or the gateway goes down. */
  #stopped: AirframeError | undefined;

  constructor(client: { raw: IncomingMessage; response: ServerResponse }, options: ExchangeOptions) {
    this.#raw = client.response;
    this.#options = options;
    this.#sink = new Sink(this.#raw, options);
    this.#stream = options.complete(options.request);
    this.#raw.once('close', () => this.#closed());
  }

  /** The answer is on its way in full, or its refusal. */
  get isAnswered(): boolean {
    return this.#sink.isEnded;
  }

  /**
   * What goes wrong is told to the client and to the recorder.
   * @throws what the recorder throws, or the stream when it is left
   */
  async run(): Promise<void> {
    const { recorder, over } = this.#options;
    let response: LLMResponse | undefined;
    let failure: AirframeError | undefined;
    try {
      try {
        response = this.#options.asked.stream ? await this.#streamed() : await this.#whole();
      } catch (error) {
        failure = this.#stopped ?? AirframeError.from(error);
        this.#tell(failure);
        // What an answer has used that ends before its stream does is known when that is closed.
        await this.#stream.return?.();
      }
      const status = failure === CLIENT_GONE ? 499 : this.#raw.statusCode;
      recorder.ended({ status, response, failure, progress: this.#stream.progress() });
    } finally {
      over();
    }
  }

  /** A shutdown, whose time is up: the client gets an honest end. */
  stop(reason: AirframeError): void {
    if (this.#stopped || this.#sink.isEnded) return;
    this.#tell(reason);
    this.#stopped = reason;
    void this.#stream.return?.();
  }

  async #whole(): Promise<LLMResponse> {
    for (;;) {
      const { value: chunk } = await this.#stream.next();
      if (!chunk) throw endless();
      let next: StreamingChunk | undefined = chunk;
      for (; next; next = this.#stream.poll()) {
        this.#options.recorder.output(next);
        if (next.response) return this.#sendWhole(next.response);
      }
    }
  }

  #sendWhole(response: LLMResponse): LLMResponse {
    if (this.#stopped) throw this.#stopped;
    const headers = {
      ...this.#headers(false, responseSource(response)),
      ...costHeader({ costUsd: response.costUsd, priced: response.metadata.priced }),
    };
    this.#sink.send(200, headers, this.#writer(response.model).whole(response));
    return response;
  }

  async #streamed(): Promise<LLMResponse> {
    // An error before the first chunk still has a status of its own, so the headers wait for it; a client that has waited
    // as long as the keep-alive time gets them, and comments, so that nothing on the way takes the line for dead.
    const early = setTimeout(() => this.#openEarly(), this.#options.keepAliveMs).unref();
    let first: StreamingChunk | undefined;
    try {
      first = (await this.#stream.next()).value;
    } finally {
      clearTimeout(early);
    }
    if (this.#stopped) throw this.#stopped;
    if (!first) throw endless();
    const writer = this.#writer(first.model);
    if (!this.#sink.isOpen) this.#sink.open(this.#headers(!first.response, first));
    let text = writer.begin();
    let hasCalls = false;
    let chunk: StreamingChunk | undefined = first;
    for (;;) {
      for (; chunk; chunk = text.length < MAX_BATCH_CHARS ? this.#stream.poll() : undefined) {
        this.#options.recorder.output(chunk);
        if (chunk.response) {
          this.#sink.end(text + writer.end(chunk.response));
          return chunk.response;
        }
        // What has gone out cannot be taken back in any of the protocols, nor half a tool call be gone on with.
        if (chunk.seam && (chunk.seam.policy === 'restart' || hasCalls)) throw brokenOff(chunk.seam.message);
        hasCalls ||= chunk.event?.type === 'tool_call_delta';
        text += pieceOf(writer, chunk);
      }
      const full = this.#sink.write(text);
      if (full) await full;
      text = '';
      chunk = (await this.#stream.next()).value;
      // What has been broken off is not told to the end.
      if (this.#stopped) throw this.#stopped;
      if (!chunk) throw endless();
    }
  }

  #openEarly(): void {
    if (!this.#stopped) this.#sink.openEarly(this.#headers(true));
  }

  #writer(model: string): AnswerWriter {
    const { asked, requestId, request } = this.#options;
    const answering = model === 'default' ? (request.model ?? model) : model;
    this.#writing ??= asked.answer({ requestId, model: answering, created: Math.floor(Date.now() / 1_000) });
    return this.#writing;
  }

  #tell(error: AirframeError): void {
    if (this.#stopped || this.#raw.destroyed || this.#sink.isEnded) return;
    const { protocol, requestId } = this.#options;
    if (this.#sink.isOpen) {
      this.#sink.breakOff(this.#writer('default').fail(forClients(error)));
      return;
    }
    const progress = this.#stream.progress();
    const own = this.#headers(false);
    const reached = limitsBehind(error);
    if (reached) addLimits(own, reached, protocol.name);
    const headers = {
      ...own,
      ...errorHeaders(error),
      ...(progress && progress.attempts.length > 0 ? costHeader(progress) : {}),
    };
    this.#sink.send(this.#status(error), headers, protocol.refusal(forClients(error), requestId));
  }

  #headers(underWay: boolean, source?: { provider: string; model: string }): Headers {
    const progress = this.#stream.progress();
    const headers: Headers = { 'x-request-id': this.#options.requestId };
    addFacts(headers, progress, source);
    addAttempts(headers, progress, underWay);
    addIgnored(headers, this.#options.asked.ignored);
    if (progress && progress.limits.length > 0) {
      addLimits(headers, progress.limits, this.#options.protocol.name);
    }
    return headers;
  }

  #closed(): void {
    this.#sink.close();
    if (this.#raw.writableFinished) return;
    this.#stopped ??= CLIENT_GONE;
    void this.#stream.return?.();
  }

  #status(error: AirframeError): number {
    return (this.#options.protocol.statusOf ?? statusOf)(error);
  }
}

/** What a call ends with whose client has left, or was cut off; its status stands in the log alone. */
const CLIENT_GONE = new AirframeError('aborted', 'the client has gone');

function pieceOf(writer: AnswerWriter, { text, event }: StreamingChunk): string {
  if (text !== '') return writer.text(text);
  if (event) {
    switch (event.type) {
      case 'reasoning':
        return writer.reasoning(event);
      case 'tool_call_delta':
        return writer.toolCallDelta(event);
      case 'tool_call':
        return writer.toolCall(event.index, event.call);
    }
  }
  // A seam that gets here only goes on: nothing is to be said of it.
  return '';
}

function brokenOff(why: string): AirframeError {
  return new AirframeError('backend', `the answer broke off: ${why}`, {
    code: 'broken_off',
    retryable: true,
  });
}

function endless(): AirframeError {
  return new AirframeError('unknown', 'the call ended without a response');
}
