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
  renew(key: string, holder: string, ttlMs: number): Promise<void>;
  release(key: string, holder: string): Promise<void>;
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
}
