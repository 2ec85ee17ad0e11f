import { AirframeError, type HealthState } from '@x/airframe';
import type { LoadOptions } from './engine.ts';
import { checkGguf } from './gguf-file.ts';

/** What tells one loaded model from another. */
export type ModelKey = Omit<LoadOptions, 'signal' | 'onProgress'>;

export interface Disposable {
  /** Waits for what is under way, then frees the memory. */
  dispose(): Promise<void>;
}

interface Entry<M> {
  loading: Promise<M>;
  loaded: boolean;
}

/** Loads each model once and keeps it. A load that failed is forgotten: the next call tries again. */
export class LoadedModels<M extends Disposable> {
  readonly #loadModel: (options: LoadOptions) => Promise<M>;
  readonly #onProgress: ((fraction: number, path: string) => void) | undefined;
  readonly #entries = new Map<string, Entry<M>>();
  readonly #failures = new Map<string, AirframeError>();
  readonly #closing = new AbortController();

  constructor(
    load: (options: LoadOptions) => Promise<M>,
    onProgress?: (fraction: number, path: string) => void,
  ) {
    this.#loadModel = load;
    this.#onProgress = onProgress;
  }

  /** Calls for the same model share one load. It goes on when one of them is given up. */
  get(key: ModelKey): Promise<M> {
    const name = nameOf(key);
    const known = this.#entries.get(name);
    if (known) return known.loading;
    this.#failures.delete(name);
    const entry: Entry<M> = { loading: this.#load(key), loaded: false };
    this.#entries.set(name, entry);
    entry.loading.then(
      () => {
        entry.loaded = true;
      },
      error => {
        this.#entries.delete(name);
        this.#failures.set(name, AirframeError.from(error));
      },
    );
    return entry.loading;
  }

  /**
   * `unknown`: nobody has asked for it yet.
   * @throws AirframeError the last load's, if that failed
   */
  state(key: ModelKey): HealthState {
    const name = nameOf(key);
    const failure = this.#failures.get(name);
    if (failure) throw failure;
    const entry = this.#entries.get(name);
    if (!entry) return 'unknown';
    return entry.loaded ? 'healthy' : 'loading';
  }

  /** Gives up loads, waits for work under way and frees everything. */
  async close(reason: AirframeError): Promise<void> {
    this.#closing.abort(reason);
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    const loaded = await Promise.allSettled(entries.map(entry => entry.loading));
    await Promise.all(
      loaded.map(result => (result.status === 'fulfilled' ? result.value.dispose() : undefined)),
    );
  }

  async #load(key: ModelKey): Promise<M> {
    const { signal } = this.#closing;
    const onProgress = this.#onProgress;
    await checkGguf(key.path);
    signal.throwIfAborted();
    return this.#loadModel({
      ...key,
      signal,
      onProgress: onProgress ? fraction => onProgress(fraction, key.path) : undefined,
    });
  }
}

const nameOf = (key: ModelKey): string => JSON.stringify(Object.entries(key).sort());
