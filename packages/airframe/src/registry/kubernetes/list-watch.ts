import type { IncomingMessage } from 'node:http';
import { AirframeError } from '../../errors.ts';
import { categoryOf } from '../../transport/failure.ts';
import { sleep } from '../../transport/sleep.ts';
import type { KubernetesApi } from './api.ts';
import type { SourceState } from './source.ts';
import type { KubernetesObject, ObjectList, WatchEvent } from './wire.ts';

const LIST_MS = 30_000;
/** The server is asked to end a watch after so many seconds; one that it has not ended soon after is dead. */
const WATCH_SECONDS = 240;
const WATCH_GRACE_MS = 30_000;
/** A watch that lived so long, in milliseconds, or brought something, was no failure however it ended. */
const LONG_ENOUGH_MS = 5_000;
const BASE_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;

export interface ListWatchOptions {
  /** Called after each change of the state. */
  onUpdate(): void;
  report(problem: AirframeError): void;
  signal: AbortSignal;
}

/**
 * Keeps a source's state the same as the cluster's: one list, then a watch from its resource version on, resumed from
 * the last version seen, and begun anew with a list when the server has forgotten that one (410).
 */
export class ListWatch<T extends KubernetesObject> {
  readonly #api: KubernetesApi;
  readonly #state: SourceState<T>;
  readonly #options: ListWatchOptions;
  /** Everything up to here is in the state. Undefined: a list is needed. */
  #version: string | undefined;

  constructor(api: KubernetesApi, state: SourceState<T>, options: ListWatchOptions) {
    this.#api = api;
    this.#state = state;
    this.#options = options;
  }

  /** @throws AirframeError when the API refuses or cannot be reached */
  async list(): Promise<void> {
    const { signal, onUpdate } = this.#options;
    const response = await this.#api.get(this.#state.source.resource, {
      verb: 'list',
      bodyMs: LIST_MS,
      signal,
    });
    const { items, metadata } = await read<ObjectList<T>>(response);
    this.#state.listed(items ?? []);
    this.#version = metadata?.resourceVersion;
    onUpdate();
  }

  /** Follows until the signal fires. Never rejects; what goes wrong is reported. */
  async run(): Promise<void> {
    const { signal, report } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      const startedAt = performance.now();
      const before = this.#version;
      let retryAfterMs = 0;
      try {
        if (this.#version === undefined) await this.list();
        await this.#watch();
      } catch (error) {
        if (signal.aborted) return;
        const { status, retryAfterMs: asked } = AirframeError.from(error);
        // Whatever is wrong with a watch, a list puts it right; only "too many requests" says nothing against the watch.
        if (status !== undefined && status !== 429) this.#version = undefined;
        if (status !== 410) report(AirframeError.from(error));
        retryAfterMs = asked ?? 0;
      }
      const fine = this.#version !== before || performance.now() - startedAt > LONG_ENOUGH_MS;
      failures = fine ? 0 : failures + 1;
      const backoff = Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** failures) * (0.5 + Math.random() / 2);
      await sleep(Math.max(backoff, retryAfterMs), signal);
    }
  }

  /** Returns when the watch is over, also when its connection broke: both are everyday. */
  async #watch(): Promise<void> {
    const { signal } = this.#options;
    // Up to a quarter less, so that many clients do not come back in step.
    const seconds = Math.ceil(WATCH_SECONDS * (1 - Math.random() / 4));
    const response = await this.#api.get(this.#state.source.resource, {
      verb: 'watch',
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: this.#version ?? '',
        timeoutSeconds: String(seconds),
      },
      bodyMs: seconds * 1_000 + WATCH_GRACE_MS,
      signal,
    });
    for await (const line of wholeLines(response)) this.#apply(parse<WatchEvent<T>>(line));
  }

  #apply(event: WatchEvent<T>): void {
    if (event.type === 'ERROR') {
      const { code = 500, message = 'no reason given' } = event.object;
      const { plural, namespace } = this.#state.source.resource;
      const problem = `the watch of ${plural} in namespace ${namespace} ended with ${code}: ${this.#api.clean(message)}`;
      throw new AirframeError(categoryOf(code), problem, { status: code });
    }
    this.#version = event.object.metadata?.resourceVersion ?? this.#version;
    if (event.type === 'BOOKMARK') return;
    if (event.type === 'DELETED') this.#state.deleted(event.object);
    else this.#state.changed(event.object);
    this.#options.onUpdate();
  }
}

/** The lines that came whole; ends where the connection does, however it does. */
async function* wholeLines(response: IncomingMessage): AsyncGenerator<string, void, undefined> {
  let rest = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch {
    // What is missing comes with the next watch.
  }
}

async function read<T>(response: IncomingMessage): Promise<T> {
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
  } catch (cause) {
    throw new AirframeError('connection', 'the connection to the Kubernetes API broke within a list', {
      cause,
    });
  }
  return parse(text);
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text);
  } catch {
    throw new AirframeError('parse', 'the Kubernetes API sent something that is no JSON');
  }
}
