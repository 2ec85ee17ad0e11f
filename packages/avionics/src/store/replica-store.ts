/** What replicas need of a store to share what they know. Its calls must end within a bounded time; they may reject. */
export interface ReplicaStore {
  /**
   * Takes one of `capacity` places, which is free again after `ttlMs` without `renew`.
   * @returns `held`: the places taken, this one included
   */
  claim(
    key: string,
    capacity: number,
    holder: string,
    ttlMs: number,
  ): Promise<{ granted: boolean; held: number }>;
  /** Keeps a place that is held for longer. */
  renew(key: string, holder: string, ttlMs: number): Promise<void>;
  /** Gives a place back. */
  release(key: string, holder: string): Promise<void>;
  /** The value, while it is good. */
  get(key: string): Promise<string | undefined>;
  /** Keeps a value for `ttlMs` milliseconds. */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** Drops a value. */
  delete(key: string): Promise<void>;
}
