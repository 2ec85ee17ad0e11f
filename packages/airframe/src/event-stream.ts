import type { AdapterDefinition, InferenceCall, InferOptions } from './adapter.ts';
import { Reply } from './assemble/reply.ts';
import { checkEndpoint, type EndpointSpec, resolveTimeouts, withHeaders } from './endpoint.ts';
import { AirframeError, isAirframeError } from './errors.ts';
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
      options.signal,
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
  #opening: Promise<AsyncIterator<void>> | undefined;
  /** What `#opening` has led to. */
  #source: AsyncIterator<void> | undefined;
  /** True while the source is at work. */
  #busy = false;
  /** Ends the wait for the source. */
  #interrupt: ((reason: unknown) => void) | undefined;
  #left = false;

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

  protected async pull(): Promise<Step> {
    for (;;) {
      await this.#run();
      const step = this.ready();
      if (step) return step;
    }
  }

  async return(): Promise<Step> {
    this.#left = true;
    this.#deadlines?.abort(new AirframeError('aborted', 'the consumer left the stream'));
    await this.settled();
    await this.#close();
    return END;
  }

  /** Runs the source until it yields or ends. */
  async #run(): Promise<void> {
    try {
      const step = await this.#interruptible(this.#source ? this.#source.next() : this.#begin());
      if (step.done) {
        if (!this.#reply.finished) this.#deadlines?.throwIfAborted();
        this.#reply.end();
      }
    } catch (error) {
      const cause: unknown = this.#deadlines?.reason ?? error;
      if (this.#reply.finished && isSilence(cause)) this.#reply.end();
      else this.#reply.fail(cause);
    }
    if (this.#reply.ended) await this.#close();
  }

  /** Waits for the source, but not longer than the call lasts, whether the source heeds the signal or not. */
  #interruptible(next: Promise<IteratorResult<void>>): Promise<IteratorResult<void>> {
    this.#busy = true;
    return new Promise((resolve, reject) => {
      this.#interrupt = reject;
      next.then(
        step => {
          this.#busy = false;
          resolve(step);
        },
        error => {
          this.#busy = false;
          reject(error);
        },
      );
    });
  }

  async #begin(): Promise<IteratorResult<void>> {
    this.#opening = this.#open();
    this.#source = await this.#opening;
    return this.#source.next();
  }

  async #open(): Promise<AsyncIterator<void>> {
    checkEndpoint(this.#endpoint);
    checkRequest(this.#request);
    const endpoint = withHeaders(this.#endpoint, this.#options.headers);
    this.#deadlines = this.#calls.begin(endpoint, this.#options);
    this.#deadlines.throwIfAborted();
    this.#deadlines.onEnd(reason => this.#interrupt?.(reason));
    const call = new StreamCall(endpoint, this.#request, this.#deadlines);
    const source = await this.#definition.infer(call, this.#reply);
    return source[Symbol.asyncIterator]();
  }

  async #close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    if (this.#deadlines) this.#calls.end(this.#deadlines);
    // What closing throws says nothing more: the stream has its ending.
    const closed = opening?.then(source => source.return?.()).catch(() => {});
    // An interrupted source is still at work, and closing waits for that.
    if (!this.#busy) await closed;
  }
}

class StreamCall<Extra extends object> implements InferenceCall<Extra> {
  readonly endpoint: EndpointSpec;
  readonly request: InferenceRequest<Extra>;
  readonly deadlines: Deadlines;

  constructor(endpoint: EndpointSpec, request: InferenceRequest<Extra>, deadlines: Deadlines) {
    this.endpoint = endpoint;
    this.request = request;
    this.deadlines = deadlines;
  }

  get signal(): AbortSignal {
    return this.deadlines.signal;
  }
}

/** After the backend's own ending it makes a reply no less whole: some leave the connection open. */
function isSilence(cause: unknown): boolean {
  return isAirframeError(cause) && cause.code === 'idle_timeout';
}
