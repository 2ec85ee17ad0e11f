import { AirframeError, type HealthState } from '@x/airframe';
import type { Engine, LoadOptions, Model } from './engine.ts';
import { checkGguf } from './gguf-file.ts';
import { Turns } from './turns.ts';

/** What tells one loaded model from another. */
export type ModelKey = Pick<LoadOptions, 'path' | 'contextTokens' | 'gpuLayers' | 'threads'>;

/** A model with the queue in front of it. */
export interface LoadedModel {
  readonly model: Model;
  readonly turns: Turns;
}

interface Entry {
  loading: Promise<LoadedModel>;
  loaded: boolean;
}

/** Loads each model once and keeps it. A load that failed is forgotten: the next call tries again. */
export class LoadedModels {
  readonly #engine: Engine;
  readonly #onProgress: ((fraction: number, path: string) => void) | undefined;
  readonly #entries = new Map<string, Entry>();
  readonly #failures = new Map<string, AirframeError>();
  readonly #closing = new AbortController();

  constructor(engine: Engine, onProgress?: (fraction: number, path: string) => void) {
    this.#engine = engine;
    this.#onProgress = onProgress;
  }

  /** Calls for the same model share one load. It goes on when one of them is given up. */
  get(key: ModelKey): Promise<LoadedModel> {
    const name = nameOf(key);
    const known = this.#entries.get(name);
    if (known) return known.loading;
    this.#failures.delete(name);
    const entry: Entry = { loading: this.#load(key), loaded: false };
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
      loaded.map(async result => {
        if (result.status !== 'fulfilled') return;
        await result.value.turns.idle();
        await result.value.model.dispose();
      }),
    );
  }

  async #load(key: ModelKey): Promise<LoadedModel> {
    const { signal } = this.#closing;
    const onProgress = this.#onProgress;
    await checkGguf(key.path);
    signal.throwIfAborted();
    const model = await this.#engine.load({
      ...key,
      signal,
      onProgress: onProgress ? fraction => onProgress(fraction, key.path) : undefined,
    });
    return { model, turns: new Turns(model.facts.parallel) };
  }
}

function nameOf({ path, contextTokens, gpuLayers, threads }: ModelKey): string {
  return JSON.stringify([path, contextTokens, gpuLayers, threads]);
}
