import {
  type Adapter,
  AirframeError,
  defineAdapter,
  type HealthReport,
  type InferenceStream,
  type InferenceStreamEvent,
} from '@x/airframe';

/**
 * An adapter that is loaded at its first use. A load that fails fails that call, and the next one tries again.
 */
export function deferAdapter(
  facts: Pick<Adapter, 'kind' | 'capabilities'>,
  load: () => Promise<Adapter>,
): Adapter {
  let loading: Promise<Adapter> | undefined;
  const loaded = (): Promise<Adapter> => {
    loading ??= load().catch(error => {
      loading = undefined;
      return unavailable(facts, AirframeError.from(error));
    });
    return loading;
  };
  return {
    ...facts,
    streamInfer: (...call) => new DeferredStream(async () => (await loaded()).streamInfer(...call)),
    health: async (...call): Promise<HealthReport> => (await loaded()).health(...call),
    close: async () => {
      const closing = loading;
      loading = undefined;
      await (await closing)?.close();
    },
  };
}

/** Stands in for an adapter that cannot be loaded, so that its absence keeps the stream contract as well. */
function unavailable(facts: Pick<Adapter, 'kind' | 'capabilities'>, error: AirframeError): Adapter {
  const fail = (): never => {
    throw error;
  };
  return defineAdapter({ ...facts, infer: fail, health: fail });
}

type Step = IteratorResult<InferenceStreamEvent, undefined>;

class DeferredStream implements InferenceStream {
  readonly #start: () => Promise<InferenceStream>;
  #inner: InferenceStream | undefined;
  #left = false;

  constructor(start: () => Promise<InferenceStream>) {
    this.#start = start;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    return this.#inner ? this.#inner.next() : this.#first();
  }

  async return(): Promise<Step> {
    this.#left = true;
    await this.#inner?.return?.();
    return { done: true, value: undefined };
  }

  async #first(): Promise<Step> {
    if (this.#left) return { done: true, value: undefined };
    const inner = await this.#start();
    this.#inner = inner;
    return this.#left ? { done: true, value: undefined } : inner.next();
  }
}
