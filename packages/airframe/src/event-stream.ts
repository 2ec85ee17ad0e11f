import type { AdapterDefinition, InferenceCall, InferOptions } from './adapter.ts';
import { type PieceSource, pieceSourceOf, readPieces } from './assemble/piece-source.ts';
import { Reply } from './assemble/reply.ts';
import { checkEndpoint, type EndpointSpec, resolveTimeouts, withHeaders } from './endpoint.ts';
import { AirframeError, isAirframeError } from './errors.ts';
import type { InferenceStreamEvent } from './events.ts';
import { checkRequest, type InferenceRequest, promptChars } from './request.ts';
import { END, SerialStream, type Step } from './serial-stream.ts';
import { Deadlines } from './transport/deadline.ts';

/**
 * The calls of an adapter that are under way. In an array, each knowing its place: a Set whose entries come and go is
 * copied again and again, and its old tables keep whole calls alive until the next full garbage collection.
 */
export class Calls {
  readonly #open: Deadlines[] = [];
  #closed: AirframeError | undefined;

  /** @throws AirframeError when the adapter is closed, or the timeouts make no sense */
  begin(endpoint: EndpointSpec, options: InferOptions): Deadlines {
    if (this.#closed) throw this.#closed;
    const deadlines = new Deadlines(
      resolveTimeouts(endpoint.timeouts, options.timeouts),
      options.ending ?? options.signal,
      endpoint.baseUrl,
    );
    deadlines.place = this.#open.push(deadlines) - 1;
    return deadlines;
  }

  end(deadlines: Deadlines): void {
    deadlines.dispose();
    if (this.#open[deadlines.place] !== deadlines) return;
    const last = this.#open.pop() as Deadlines;
    if (last === deadlines) return;
    this.#open[deadlines.place] = last;
    last.place = deadlines.place;
  }

  close(): void {
    this.#closed ??= new AirframeError('aborted', 'the adapter is closed', { remedy: 'make a new one' });
    for (const deadlines of [...this.#open]) deadlines.abort(this.#closed);
  }
}

/** Runs a definition's `infer` and hands out what it writes. */
export class EventStream<Extra extends object> extends SerialStream {
  readonly #definition: AdapterDefinition<Extra>;
  readonly #calls: Calls;
  readonly #endpoint: EndpointSpec;
  readonly #request: InferenceRequest<Extra>;
  readonly #options: InferOptions;
  readonly #reply: Reply;
  #deadlines: Deadlines | undefined;
  #source: PieceSource | undefined;
  /** True while the source is at work, or being opened. */
  #busy = false;
  #left = false;
  /** Answers the pull under way. */
  #answer: ((step: Step) => void) | undefined;
  /** True while the source is asked, for one that tells at once. */
  #asking = false;
  #again = false;

  constructor(
    definition: AdapterDefinition<Extra>,
    calls: Calls,
    endpoint: EndpointSpec,
    request: InferenceRequest<Extra>,
    options: InferOptions,
  ) {
    super();
    this.#definition = definition;
    this.#calls = calls;
    this.#endpoint = endpoint;
    this.#request = request;
    this.#options = options;
    this.#reply = new Reply(String(endpoint?.name), () => promptChars(request));
  }

  protected ready(): Step | undefined {
    if (this.#left) return END;
    const value = this.#reply.events.take();
    if (value === undefined) return this.#reply.ended ? END : undefined;
    return { done: false, value };
  }

  protected pull(): Promise<Step> {
    return new Promise(resolve => {
      this.#answer = resolve;
      if (!this.#source) void this.#open();
      else if (!this.#busy) this.#ask(this.#source);
    });
  }

  /** Reads on as well: what has arrived by now lies there. */
  override poll(): InferenceStreamEvent | undefined {
    const event = super.poll();
    const source = this.#source;
    if (event || !source || this.#busy || this.isAwaited || this.#left) return event;
    this.#ask(source);
    return super.poll();
  }

  async return(): Promise<Step> {
    this.#left = true;
    this.#deadlines?.abort(new AirframeError('aborted', 'the consumer left the stream'));
    await this.settled();
    await this.#close();
    return END;
  }

  async #open(): Promise<void> {
    this.#busy = true;
    try {
      checkEndpoint(this.#endpoint);
      checkRequest(this.#request);
      const endpoint = withHeaders(this.#endpoint, this.#options.headers);
      this.#deadlines = this.#calls.begin(endpoint, this.#options);
      this.#deadlines.throwIfAborted();
      this.#deadlines.onEnd(this.#interrupted);
      const call = new StreamCall(endpoint, this.#request, this.#deadlines);
      this.#source = pieceSourceOf(await this.#definition.infer(call, this.#reply));
    } catch (error) {
      this.#told(true, error);
      return;
    }
    this.#busy = false;
    // The call may have ended while it was being opened.
    if (this.#reply.ended) void this.#close();
    else this.#ask(this.#source);
  }

  #ask(source: PieceSource): void {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    do {
      this.#again = false;
      this.#busy = true;
      source[readPieces](this.#told);
    } while (this.#again);
    this.#asking = false;
  }

  readonly #told = (done: boolean, error?: unknown): void => {
    this.#busy = false;
    // It was interrupted, and has its ending.
    if (this.#reply.ended) return;
    if (error !== undefined) this.#failed(error);
    else if (done) {
      const { finished } = this.#reply;
      const reason = finished ? undefined : this.#deadlines?.reason;
      if (reason) this.#failed(reason);
      else this.#reply.end();
    }
    this.#tell();
  };

  /** The call ends before its time; the wait for the source with it, whether the source heeds that or not. */
  readonly #interrupted = (reason: unknown): void => {
    if (!this.#busy || this.#reply.ended) return;
    this.#failed(reason);
    this.#tell();
  };

  #failed(error: unknown): void {
    const cause: unknown = this.#deadlines?.reason ?? error;
    if (this.#reply.finished && isSilence(cause)) this.#reply.end();
    else this.#reply.fail(cause);
  }

  /** Gives what there is; when it is nothing, the source is asked again. */
  #tell(): void {
    if (this.#reply.ended) {
      const closed = this.#close();
      if (closed) void closed.then(() => this.#give());
      else this.#give();
    } else if (!this.#give() && this.#source) this.#ask(this.#source);
  }

  /** @returns false when somebody waits for more than there is */
  #give(): boolean {
    const answer = this.#answer;
    if (!answer) return true;
    const step = this.ready();
    if (!step) return false;
    this.#answer = undefined;
    answer(step);
    return true;
  }

  /** @returns what is to be waited for; undefined: nothing */
  #close(): Promise<unknown> | undefined {
    if (this.#deadlines) this.#calls.end(this.#deadlines);
    const source = this.#source;
    this.#source = undefined;
    // What closing throws says nothing more: the stream has its ending.
    const closed = source?.close()?.catch(() => {});
    // An interrupted source is still at work, and closing waits for that.
    return this.#busy ? undefined : closed;
  }
}

class StreamCall<Extra extends object> implements InferenceCall<Extra> {
  readonly endpoint: EndpointSpec;
  readonly request: InferenceRequest<Extra>;
  readonly deadlines: Deadlines;
  declare readonly signal: AbortSignal;

  constructor(endpoint: EndpointSpec, request: InferenceRequest<Extra>, deadlines: Deadlines) {
    this.endpoint = endpoint;
    this.request = request;
    this.deadlines = deadlines;
    Object.defineProperty(this, 'signal', SIGNAL);
  }
}

/** Made when it is asked for. Of the call itself, as all that it has: a copy of the call has it as well. */
const SIGNAL = {
  get(this: { deadlines: Deadlines }): AbortSignal {
    return this.deadlines.signal;
  },
  enumerable: true,
};

/** After the backend's own ending it makes a reply no less whole: some leave the connection open. */
function isSilence(cause: unknown): boolean {
  return isAirframeError(cause) && cause.code === 'idle_timeout';
}
