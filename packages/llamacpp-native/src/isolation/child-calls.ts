import { AirframeError, type EndpointSpec } from '@x/airframe';
import { errorOf } from './error-facts.ts';
import type { Method, Order, Progress, Report } from './protocol.ts';

/** What a call is opened with. */
export interface CallRequest {
  endpoint: EndpointSpec;
  request?: unknown;
  signal: AbortSignal;
}

type Outcome = { value: unknown } | { error: unknown };

/** A call that the child is at work on. */
export class ChildCall {
  readonly endpoint: EndpointSpec;
  #progress: Progress | undefined;
  #outcome: Outcome | undefined;
  #wake: (() => void) | undefined;
  readonly #tell: (order: 'abort' | { events: number }) => void;
  readonly #signal: AbortSignal;

  constructor({ endpoint, signal }: CallRequest, tell: (order: 'abort' | { events: number }) => void) {
    this.endpoint = endpoint;
    this.#signal = signal;
    this.#tell = tell;
    signal.addEventListener('abort', this.leave);
  }

  /**
   * What has come since the last time; undefined: the call is over.
   * @throws AirframeError how it failed, once all that came before has been read; the signal's reason
   */
  async next(): Promise<Progress | undefined> {
    for (;;) {
      this.#signal.throwIfAborted();
      const progress = this.#progress;
      this.#progress = undefined;
      if (progress) return progress;
      if (this.#outcome && 'error' in this.#outcome) throw this.#outcome.error;
      if (this.#outcome) return undefined;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  /** The answer of a call that has no progress. @throws as `next` */
  async answer(): Promise<unknown> {
    await this.next();
    return this.#outcome && 'value' in this.#outcome ? this.#outcome.value : undefined;
  }

  /** Lets the child send so many events more. */
  credit(events: number): void {
    if (!this.#outcome) this.#tell({ events });
  }

  add(progress: Progress): void {
    if (this.#progress) {
      this.#progress.writes.push(...progress.writes);
      this.#progress.events += progress.events;
      if (progress.phase) this.#progress.phase = progress.phase;
    } else {
      this.#progress = progress;
    }
    this.#wake?.();
  }

  end(outcome: Outcome): void {
    this.#outcome ??= outcome;
    this.#signal.removeEventListener('abort', this.leave);
    this.#wake?.();
  }

  /** Gives the call up, unless it is over. */
  readonly leave = (): void => {
    if (this.#outcome) return;
    this.#tell('abort');
    this.end({ value: undefined });
  };
}

/** The calls under way, as the parent sees them. */
export class ChildCalls {
  readonly #send: (order: Order) => void;
  readonly #onCount: (count: number) => void;
  readonly #calls = new Map<number, ChildCall>();
  #opened = 0;

  /** @param onCount told how many there are, each time that changes */
  constructor(send: (order: Order) => void, onCount: (count: number) => void) {
    this.#send = send;
    this.#onCount = onCount;
  }

  /** @throws AirframeError invalid_request: the request holds what no other process can be given, e.g. a function */
  open(method: Method, request: CallRequest): ChildCall {
    const id = this.#opened++;
    try {
      this.#send({ type: 'call', id, method, endpoint: request.endpoint, request: request.request });
    } catch (cause) {
      throw new AirframeError(
        'invalid_request',
        `the request cannot be sent to the engine's process (${(cause as Error).message})`,
        { remedy: 'let it hold plain data only', cause },
      );
    }
    const call = new ChildCall(request, order => {
      if (order !== 'abort') {
        this.#send({ type: 'credit', id, ...order });
        return;
      }
      this.#send({ type: 'abort', id });
      this.#forget(id);
    });
    this.#calls.set(id, call);
    this.#onCount(this.#calls.size);
    return call;
  }

  /** Reports about calls that were given up say nothing any more. */
  receive(report: Exclude<Report, { type: 'callback' }>): void {
    const call = this.#calls.get(report.id);
    if (!call) return;
    if (report.type === 'progress') {
      call.add(report);
      return;
    }
    call.end(report.type === 'answer' ? { value: report.value } : { error: errorOf(report.error) });
    this.#forget(report.id);
  }

  /** Ends all of them, each with an error of its own. */
  fail(errorFor: (endpoint: EndpointSpec) => AirframeError): void {
    for (const [id, call] of this.#calls) {
      call.end({ error: errorFor(call.endpoint) });
      this.#forget(id);
    }
  }

  #forget(id: number): void {
    this.#calls.delete(id);
    this.#onCount(this.#calls.size);
  }
}
