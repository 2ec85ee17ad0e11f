import {
  type AirframeError,
  type DoneEvent,
  type InferenceStream,
  type InferenceStreamEvent,
  isOutput,
  type Usage,
} from '@x/airframe';

/** What a provider does with the events that are its business. */
export interface StreamObserver {
  /** Called once, at the first `next()`. */
  started(): void;
  /** May put another error in the place of the stream's. */
  failed(error: AirframeError): AirframeError;
  ended(done: DoneEvent, error: AirframeError | undefined): void;
  /** The consumer closed the stream before its end. @param usage a token for each piece of output that came */
  left(error: AirframeError | undefined, usage: Usage): void;
}

type Step = IteratorResult<InferenceStreamEvent, undefined>;

/** Passes a stream through and looks at its ending. By hand, not as an async generator: this runs for each token. */
export class ObservedStream implements InferenceStream {
  readonly #inner: InferenceStream;
  readonly #observer: StreamObserver;
  #error: AirframeError | undefined;
  #outputs = 0;
  #state: 'new' | 'open' | 'ended' = 'new';

  constructor(inner: InferenceStream, observer: StreamObserver) {
    this.#inner = inner;
    this.#observer = observer;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    if (this.#state === 'new') {
      this.#state = 'open';
      this.#observer.started();
    }
    return this.#inner.next().then(this.#look);
  }

  poll(): InferenceStreamEvent | undefined {
    const event = this.#state === 'new' ? undefined : this.#inner.poll?.();
    return event && this.#seen(event);
  }

  async return(): Promise<Step> {
    const wasOpen = this.#state === 'open';
    this.#state = 'ended';
    if (wasOpen) this.#observer.left(this.#error, this.#estimate());
    await this.#inner.return?.();
    return { done: true, value: undefined };
  }

  #estimate(): Usage {
    const completionTokens = this.#outputs;
    return { promptTokens: 0, completionTokens, totalTokens: completionTokens, source: 'estimated' };
  }

  readonly #look = (step: Step): Step => {
    if (step.value === undefined) return step;
    const event = this.#seen(step.value);
    return event === step.value ? step : { done: false, value: event };
  };

  #seen(event: InferenceStreamEvent): InferenceStreamEvent {
    if (isOutput(event)) this.#outputs++;
    if (event.type === 'error') {
      this.#error = this.#observer.failed(event.error);
      return { type: 'error', error: this.#error };
    }
    if (event.type === 'done' && this.#state === 'open') {
      this.#state = 'ended';
      this.#observer.ended(event, this.#error);
    }
    return event;
  }
}
