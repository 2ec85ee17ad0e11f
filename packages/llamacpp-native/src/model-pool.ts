import { AirframeError, type HealthState } from '@x/airframe';
import type { LoadOptions } from './engine.ts';

/** What a pool holds: anything that is loaded and has to be freed. */
export interface Poolable {
  /** Frees the memory. Called once, when nobody uses it. */
  dispose(): Promise<void>;
}

/** What tells one loaded model from another: all of it, but for `checkMemory`. */
export interface ModelKey extends Omit<LoadOptions, 'signal' | 'onProgress'> {
  /** false: load it even if it seems not to fit. Default true. */
  checkMemory?: boolean | undefined;
}

/** What a load is given besides its options. */
export interface LoadContext {
  checkMemory: boolean;
  /** Something the user should know, though the load goes on. */
  onWarning(message: string): void;
}

export type Load<M> = (options: LoadOptions, context: LoadContext) => Promise<M>;

/** Somebody who needs a model. */
export interface Holder {
  onProgress(fraction: number, path: string): void;
  onWarning(message: string): void;
}

/** A model that is loading or loaded, and who needs it. */
export interface PoolEntry<M> {
  readonly name: string;
  readonly holders: Set<Holder>;
  readonly loaded: Promise<M>;
  /** Gives up the load. */
  readonly stop: AbortController;
  state: 'loading' | 'healthy' | 'failed';
  fraction: number;
}

const NOBODY_WAITS = new AirframeError('aborted', 'nobody waits for this model any more');

/** The models of a process: each is loaded once, however many hold it, and freed when the last one lets go. */
export class ModelPool<M extends Poolable> {
  readonly #load: Load<M>;
  readonly #entries = new Map<string, PoolEntry<M>>();
  /** Their memory is not back yet. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(load: Load<M>) {
    this.#load = load;
  }

  /** Joins those who hold a model, loading it if they are the first. Their load tells its progress to all of them. */
  hold(key: ModelKey, holder: Holder): PoolEntry<M> {
    const name = nameOf(key);
    const entry = this.#entries.get(name) ?? this.#begin(name, key);
    entry.holders.add(holder);
    if (entry.state === 'loading' && entry.fraction > 0) holder.onProgress(entry.fraction, key.path);
    return entry;
  }

  /**
   * Lets go of a model. The last one to do so frees it, or gives up its load; the promise is for the end of that.
   * Rejects when the model cannot be freed.
   */
  async release(entry: PoolEntry<M>, holder: Holder): Promise<void> {
    entry.holders.delete(holder);
    if (entry.holders.size > 0) return;
    if (this.#entries.get(entry.name) === entry) this.#entries.delete(entry.name);
    if (entry.state === 'loading') entry.stop.abort(NOBODY_WAITS);
    const freed = free(entry.loaded);
    const settled = freed.catch(() => {});
    this.#leaving.add(settled);
    await settled;
    this.#leaving.delete(settled);
    await freed;
  }

  /** `unknown`: nobody holds it. */
  state(key: ModelKey): HealthState {
    const state = this.#entries.get(nameOf(key))?.state;
    return state === undefined || state === 'failed' ? 'unknown' : state;
  }

  #begin(name: string, key: ModelKey): PoolEntry<M> {
    const stop = new AbortController();
    const holders = new Set<Holder>();
    const entry: PoolEntry<M> = {
      name,
      holders,
      stop,
      state: 'loading',
      fraction: 0,
      loaded: this.#loadInto(key, stop.signal, () => entry),
    };
    this.#entries.set(name, entry);
    entry.loaded.then(
      () => {
        entry.state = 'healthy';
      },
      () => {
        entry.state = 'failed';
        // The next call tries again.
        if (this.#entries.get(name) === entry) this.#entries.delete(name);
      },
    );
    return entry;
  }

  async #loadInto(key: ModelKey, signal: AbortSignal, entryOf: () => PoolEntry<M>): Promise<M> {
    // A model that goes still has the memory that the one that comes may need.
    await Promise.all(this.#leaving);
    signal.throwIfAborted();
    const { checkMemory = true, ...options } = key;
    const entry = entryOf();
    const onProgress = (fraction: number) => {
      entry.fraction = fraction;
      for (const holder of entry.holders) holder.onProgress(fraction, key.path);
    };
    const onWarning = (message: string) => {
      for (const holder of entry.holders) holder.onWarning(message);
    };
    return this.#load({ ...options, signal, onProgress }, { checkMemory, onWarning });
  }
}

/** The name of a model in its pool. */
export function nameOf({ checkMemory: _, ...key }: ModelKey): string {
  const said = Object.entries(key).filter(([, value]) => value !== undefined);
  return JSON.stringify(said.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function free(loaded: Promise<Poolable>): Promise<void> {
  const model = await loaded.catch(() => undefined);
  await model?.dispose();
}
