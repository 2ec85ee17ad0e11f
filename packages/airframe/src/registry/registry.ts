import type { EndpointSpec } from '../endpoint.ts';

/** What happened to a registry's endpoints since the watcher's last change, all of it together. */
export interface RegistryChange {
  added: readonly EndpointSpec[];
  /** As they are now. */
  changed: readonly EndpointSpec[];
  /** As they were. */
  removed: readonly EndpointSpec[];
  /** The whole list after it. */
  endpoints: readonly EndpointSpec[];
}

/** `return()` (a `break` in `for await`) ends it, also while a `next()` is pending. */
export type RegistryWatch = AsyncIterableIterator<RegistryChange, undefined, undefined>;

/** Which endpoints there are. Reads only: a registry never changes what it reads from. */
export interface EndpointRegistry {
  /** The endpoints there are now; names are unique. */
  list(): EndpointSpec[];
  /** @throws AirframeError (not_found) naming the endpoints there are */
  get(name: string): EndpointSpec;
  /**
   * The changes from this call on; what was there before is in `list()`. A watcher that comes late gets what happened
   * meanwhile as one change, and what came and went meanwhile not at all. Ends, without an error, when the signal
   * fires or the registry closes. Holds no process alive.
   */
  watch(options?: { signal?: AbortSignal }): RegistryWatch;
  /** Ends all watching. `list()` and `get()` keep what was known last. */
  close(): Promise<void>;
}
