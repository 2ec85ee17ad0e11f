import { isDeepStrictEqual } from 'node:util';
import type { EndpointSpec } from '../endpoint.ts';
import { AirframeError } from '../errors.ts';
import type { EndpointRegistry, RegistryChange, RegistryWatch } from './registry.ts';

type Snapshot = ReadonlyMap<string, EndpointSpec>;
type Step = IteratorResult<RegistryChange, undefined>;

/** The part that all registries share: one snapshot, swapped as a whole, and those who watch it. */
export class EndpointSet implements EndpointRegistry {
  #snapshot: Snapshot = new Map();
  #closed = false;
  readonly #watchers = new Set<Watcher>();

  list(): EndpointSpec[] {
    return [...this.#snapshot.values()];
  }

  get(name: string): EndpointSpec {
    const endpoint = this.#snapshot.get(name);
    if (endpoint) return endpoint;
    const known = [...this.#snapshot.keys()].join(', ') || 'none';
    throw new AirframeError('not_found', `no endpoint is named ${JSON.stringify(name)}; known: ${known}`);
  }

  watch({ signal }: { signal?: AbortSignal } = {}): RegistryWatch {
    const watcher = new Watcher(
      () => this.#snapshot,
      () => this.#watchers.delete(watcher),
      signal,
    );
    this.#watchers.add(watcher);
    if (this.#closed || signal?.aborted) watcher.end();
    return watcher;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const watcher of this.#watchers) watcher.end();
  }

  /** Puts these endpoints, checked and of different names, in the place of all there were. */
  protected publish(endpoints: readonly EndpointSpec[]): void {
    this.#snapshot = new Map(endpoints.map(endpoint => [endpoint.name, endpoint]));
    for (const watcher of this.#watchers) watcher.look();
  }
}

/** Holds the snapshot it saw last and no queue, so a slow consumer costs nothing. */
class Watcher implements RegistryWatch {
  readonly #current: () => Snapshot;
  readonly #onEnd: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #waiting: ((step: Step) => void)[] = [];
  #seen: Snapshot;
  #ended = false;

  constructor(current: () => Snapshot, onEnd: () => void, signal: AbortSignal | undefined) {
    this.#current = current;
    this.#seen = current();
    this.#onEnd = onEnd;
    this.#signal = signal;
    signal?.addEventListener('abort', this.end);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    return new Promise(resolve => {
      this.#waiting.push(resolve);
      this.look();
    });
  }

  async return(): Promise<Step> {
    this.end();
    return { done: true, value: undefined };
  }

  /** Answers whoever waits, when there is something to tell. */
  look(): void {
    const change = !this.#ended && this.#waiting.length > 0 ? this.#change() : undefined;
    if (change) this.#waiting.shift()?.({ done: false, value: change });
    if (this.#ended) for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  readonly end = (): void => {
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.end);
    this.#onEnd();
    this.look();
  };

  #change(): RegistryChange | undefined {
    const before = this.#seen;
    const now = this.#current();
    this.#seen = now;
    const endpoints = [...now.values()];
    const added = endpoints.filter(({ name }) => !before.has(name));
    const changed = endpoints.filter(endpoint => {
      const old = before.get(endpoint.name);
      return old && !isDeepStrictEqual(old, endpoint);
    });
    const removed = [...before.values()].filter(({ name }) => !now.has(name));
    const nothing = added.length + changed.length + removed.length === 0;
    return nothing ? undefined : { added, changed, removed, endpoints };
  }
}
