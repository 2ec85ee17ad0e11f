import {
  type Adapter,
  AirframeError,
  defineAdapter,
  END,
  type InferenceStream,
  type InferenceStreamEvent,
  resolveTimeouts,
  SerialStream,
  type Step,
} from '@x/airframe';

type Facts = Pick<Adapter, 'kind' | 'capabilities'>;
type Call = Parameters<Adapter['streamInfer']>;

/**
 * An adapter that is loaded at its first use. A load that fails fails that call, and the next one tries again.
 * @param facts what holds of it in any case; once it is loaded it tells of itself
 */
export function deferAdapter(facts: Facts, load: () => Promise<Adapter>): Adapter {
  let loading: Promise<Adapter> | undefined;
  let capabilities = facts.capabilities;
  const loaded = (): Promise<Adapter> => {
    loading ??= load().then(
      adapter => {
        capabilities = adapter.capabilities;
        return adapter;
      },
      error => {
        loading = undefined;
        return unavailable(facts, AirframeError.from(error));
      },
    );
    return loading;
  };
  const { embed, countTokens, listModels } = facts.capabilities;
  return {
    kind: facts.kind,
    get capabilities() {
      return capabilities;
    },
    streamInfer: (...call) => waitFor(facts, loaded, call),
    health: async (...call) => (await loaded()).health(...call),
    ...(embed ? { embed: async (...call) => able(await loaded(), 'embed')(...call) } : {}),
    ...(countTokens ? { countTokens: async (...call) => able(await loaded(), 'countTokens')(...call) } : {}),
    ...(listModels ? { listModels: async (...call) => able(await loaded(), 'listModels')(...call) } : {}),
    close: async () => {
      const closing = loading;
      loading = undefined;
      await (await closing)?.close();
    },
  };
}

type Operation = 'embed' | 'countTokens' | 'listModels';

/** What the facts have promised. */
function able<Name extends Operation>(adapter: Adapter, name: Name): NonNullable<Adapter[Name]> {
  const operation = adapter[name];
  if (operation) return operation;
  throw new AirframeError('invalid_request', `${adapter.kind} has no ${name}`, { code: 'unsupported' });
}

/** Stands in for an adapter that cannot be loaded, so that its absence keeps the stream contract as well. */
function unavailable(facts: Facts, error: AirframeError): Adapter {
  const fail = (): never => {
    throw error;
  };
  return defineAdapter({
    ...facts,
    infer: fail,
    health: fail,
    embed: fail,
    countTokens: fail,
    listModels: fail,
  });
}

/** The wait for the adapter as an inference of its own: it has the call's deadlines, and the ending when one expires. */
function waitFor(
  facts: Facts,
  loaded: () => Promise<Adapter>,
  [endpoint, request, options]: Call,
): DeferredStream {
  const started = performance.now();
  let opened: InferenceStream | undefined;
  const wait = defineAdapter({
    ...facts,
    async *infer({ deadlines }, reply) {
      // Elsewhere, too, loading is a part of what headers are waited for.
      deadlines.enter('headers');
      const adapter = await loaded();
      const { totalMs } = resolveTimeouts(endpoint.timeouts, options?.timeouts);
      const leftMs = totalMs && Math.max(1, Math.ceil(totalMs - (performance.now() - started)));
      const timeouts = { ...options?.timeouts, totalMs: leftMs };
      opened = adapter.streamInfer(endpoint, request, { ...options, timeouts });
      reply.finish('stop');
      yield;
    },
    health: async () => 'unknown',
  });
  return new DeferredStream(wait.streamInfer(endpoint, request, options), () => opened);
}

/** Goes over from the wait to the stream it was for. */
class DeferredStream extends SerialStream {
  #current: InferenceStream;
  readonly #opened: () => InferenceStream | undefined;
  #left = false;

  constructor(wait: InferenceStream, opened: () => InferenceStream | undefined) {
    super();
    this.#current = wait;
    this.#opened = opened;
  }

  override poll(): InferenceStreamEvent | undefined {
    return !this.#left && this.#current === this.#opened() ? this.#current.poll?.() : super.poll();
  }

  async return(): Promise<Step> {
    this.#left = true;
    await this.#current.return?.();
    return END;
  }

  protected ready(): Step | undefined {
    return this.#left ? END : undefined;
  }

  protected async pull(): Promise<Step> {
    const step = await this.#current.next();
    const opened = this.#opened();
    if (opened === undefined || opened === this.#current) return step;
    // What the wait itself has put out is of no use once it is over.
    this.#current = opened;
    return this.#left ? END : opened.next();
  }
}
