import { serverEvents } from '../sse.ts';
import { type ConsoleState, EMPTY, StateBuilder } from './state.ts';

/**
 * `connecting`: for the first time. `connected`. `waiting`: it is gone, and asked again at `retryAt`. `playground`: the
 * key is none of an admin. `refused`: the key is not known.
 */
export type Connection =
  | { state: 'connecting' | 'connected' | 'playground' | 'refused' }
  | { state: 'waiting'; retryAt: number; reason: string };

export interface LinkSnapshot {
  connection: Connection;
  data: ConsoleState;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** A gateway that is there says something every second. */
const SILENCE_MS = 10_000;
/** What comes closer together is shown at once. */
const SHOW_MS = 50;

/** The console's line to the gateway: holds what it has told, and connects again by itself. */
export class Link {
  readonly #key: string;
  readonly #listeners = new Set<() => void>();
  #builder = new StateBuilder();
  #snapshot: LinkSnapshot = { connection: { state: 'connecting' }, data: EMPTY };
  #controller = new AbortController();
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #show: ReturnType<typeof setTimeout> | undefined;

  constructor(key: string) {
    this.#key = key;
  }

  /** @returns ends it */
  open(): () => void {
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    void this.#connect(signal);
    // Whoever comes back to the page, or gets the network back, need not wait.
    const now = () => {
      if (this.#retry !== undefined && document.visibilityState === 'visible') this.#again(signal);
    };
    addEventListener('online', now, { signal });
    document.addEventListener('visibilitychange', now, { signal });
    return () => {
      this.#controller.abort();
      clearTimeout(this.#retry);
      clearTimeout(this.#show);
      this.#retry = undefined;
      this.#show = undefined;
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): LinkSnapshot => this.#snapshot;

  async #connect(signal: AbortSignal): Promise<void> {
    this.#retry = undefined;
    try {
      const state = await this.#listen(signal);
      if (state) this.#set({ state });
      else this.#lost('the gateway ended the connection', signal);
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error), signal);
    }
  }

  /** @returns what the key is, when it may not listen; undefined: the gateway has ended the stream */
  async #listen(signal: AbortSignal): Promise<'playground' | 'refused' | undefined> {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener('abort', stop);
    const silence = () => setTimeout(stop, SILENCE_MS);
    let watch = silence();
    try {
      const response = await fetch('/admin/events', {
        headers: { authorization: `Bearer ${this.#key}`, accept: 'text/event-stream' },
        signal: attempt.signal,
      });
      if (response.status === 401) return 'refused';
      if (response.status === 403) return 'playground';
      if (!response.ok || !response.body) throw new Error(`the gateway answered ${response.status}`);
      const heard = () => {
        clearTimeout(watch);
        watch = silence();
      };
      for await (const { event, data } of serverEvents(response.body, heard)) this.#take(event, data);
      return undefined;
    } catch (error) {
      if (attempt.signal.aborted && !signal.aborted) throw new Error('the gateway fell silent');
      throw error;
    } finally {
      clearTimeout(watch);
      signal.removeEventListener('abort', stop);
    }
  }

  #take(event: string, data: string): void {
    this.#builder.take(event, JSON.parse(data));
    if (this.#snapshot.connection.state !== 'connected') {
      this.#failures = 0;
      this.#set({ state: 'connected' });
    }
    this.#show ??= setTimeout(() => {
      this.#show = undefined;
      this.#set(this.#snapshot.connection);
    }, SHOW_MS);
  }

  #lost(reason: string, signal: AbortSignal): void {
    if (signal.aborted) return;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures) * (0.75 + Math.random() / 2);
    this.#failures++;
    this.#retry = setTimeout(() => this.#connect(signal), wait);
    this.#set({ state: 'waiting', retryAt: Date.now() + wait, reason });
  }

  #again(signal: AbortSignal): void {
    clearTimeout(this.#retry);
    void this.#connect(signal);
  }

  #set(connection: Connection): void {
    this.#snapshot = { connection, data: this.#builder.snapshot() };
    for (const listener of this.#listeners) listener();
  }
}
