import { AirframeError, type HttpRequest, type HttpResponse } from '@x/airframe';
import type { LogSink } from '../log-sinks.ts';
import { Turns } from '../turns.ts';
import { type Addon, type Core, CoreEventKind, type CoreEvents, type CoreSettings } from './addon.ts';
import { Answer } from './answer.ts';

export interface CoreModelOptions {
  settings: CoreSettings;
  /** Gives up loading. */
  signal?: AbortSignal | undefined;
  /** How much is loaded, 0 to 1. */
  onProgress?: ((fraction: number) => void) | undefined;
  onLog?: LogSink | undefined;
}

/** What the loaded model says of itself beyond what its file does; see native/core.cpp. */
export interface CoreFacts {
  /** Whether the chat template has a format of its own for tool calls. */
  toolCalls: boolean;
}

/** What evaluates nothing does not wait for what does. */
const COUNTING = /^\/tokenize$|\/input_tokens$/;
/** Each has a thread. */
const COUNTED_AT_ONCE = 8;

/** By ggml_log_level. */
const LOG_LEVELS = ['none', 'debug', 'info', 'warn', 'error', 'log'];

/** A request under way, until llama.cpp has let go of it. */
interface Underway {
  answer: Answer;
  /** To be called at its end. */
  over(): void;
}

/** Those that are not closed. */
const cores = new Set<Core>();

// On `process.exit()` and after an uncaught exception no cleanup hook of the addon's is run, but the C library takes
// down what llama.cpp's threads are still working with.
const endAll = (): void => {
  for (const core of cores) core.end();
};

/** A model with llama.cpp's server core over it, spoken to as a llama-server is. */
export class CoreModel {
  readonly #core: Core;
  readonly #options: CoreModelOptions;
  readonly #underway = new Map<number, Underway>();
  readonly #turns: Turns;
  readonly #countingTurns = new Turns(COUNTED_AT_ONCE);
  readonly #loaded = withResolvers<CoreFacts>();
  readonly #closed = withResolvers<void>();
  #failure: AirframeError | undefined;

  private constructor(addon: Addon, options: CoreModelOptions) {
    this.#options = options;
    // As many again may wait at llama.cpp itself, so that a sequence that becomes free has work at once.
    this.#turns = new Turns(options.settings.parallel * 2);
    this.#core = new addon.Core(options.settings, events => this.#take(events));
    if (cores.size === 0) process.on('exit', endAll);
    cores.add(this.#core);
  }

  /** @throws AirframeError backend: llama.cpp cannot load it; the signal's reason */
  static async load(addon: Addon, options: CoreModelOptions): Promise<CoreModel> {
    const { signal } = options;
    signal?.throwIfAborted();
    const model = new CoreModel(addon, options);
    const giveUp = () => model.#core.close();
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      model.facts = await model.#loaded.promise;
      signal?.throwIfAborted();
      return model;
    } catch (error) {
      await model.dispose();
      throw signal?.aborted ? AirframeError.from(signal.reason) : error;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  facts!: CoreFacts;

  /**
   * Sends a request when it is its turn.
   * @param path of llama-server's API
   * @param done called when the answer is over
   * @throws AirframeError; the signal's reason
   */
  async send(path: string, request: HttpRequest, done: () => void): Promise<HttpResponse> {
    const { method, body = '', signal } = request;
    const turns = COUNTING.test(path) ? this.#countingTurns : this.#turns;
    const endTurn = await turns.take(signal);
    if (this.#failure) {
      endTurn();
      throw this.#failure;
    }
    const id = this.#core.request(`${method} ${path}`, body);
    const answer = new Answer(() => this.#core.cancel(id));
    const abort = () => {
      this.#core.cancel(id);
      answer.fail(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    const over = () => {
      signal.removeEventListener('abort', abort);
      endTurn();
      done();
    };
    this.#underway.set(id, { answer, over });
    // While it waited for its turn.
    if (signal.aborted) abort();
    return answer.response;
  }

  /** Frees the memory; what is under way is ended. */
  async dispose(): Promise<void> {
    this.#core.close();
    await this.#closed.promise;
  }

  #take(events: CoreEvents): void {
    for (let at = 0; at < events.length; at += 4) {
      const [kind, id, number] = [events[at], events[at + 1], events[at + 2]] as number[];
      const payload = events[at + 3];
      if (id === 0) this.#onCore(kind, number as number, payload as string);
      else this.#onRequest(kind, id as number, number as number, payload as string | Buffer);
    }
  }

  #onCore(kind: number | undefined, number: number, text: string): void {
    const { onProgress, onLog, settings } = this.#options;
    // What a function of the app throws must not stop the events behind it.
    if (kind === CoreEventKind.progress) queueMicrotask(() => onProgress?.(number));
    else if (kind === CoreEventKind.log) queueMicrotask(() => onLog?.(LOG_LEVELS[number] ?? 'info', text));
    else if (kind === CoreEventKind.loaded) this.#loaded.resolve(JSON.parse(text));
    else if (kind === CoreEventKind.failed) {
      this.#fail(new AirframeError('backend', `llama.cpp failed with ${settings.model} (${text})`));
      this.#core.close();
    } else if (kind === CoreEventKind.closed) {
      this.#fail(new AirframeError('aborted', `${settings.model} is unloaded`));
      cores.delete(this.#core);
      if (cores.size === 0) process.off('exit', endAll);
      this.#closed.resolve();
    }
  }

  #onRequest(kind: number | undefined, id: number, number: number, payload: string | Buffer): void {
    const underway = this.#underway.get(id);
    if (!underway) return;
    if (kind === CoreEventKind.head) underway.answer.begin(number, payload as string);
    else if (kind === CoreEventKind.data) underway.answer.push(payload as Buffer);
    else {
      this.#underway.delete(id);
      underway.answer.end();
      underway.over();
    }
  }

  /** Loading has failed, or evaluating: no further request can be answered. */
  #fail(error: AirframeError): void {
    this.#failure ??= error;
    this.#loaded.reject(error);
    for (const { answer, over } of this.#underway.values()) {
      answer.fail(error);
      over();
    }
    this.#underway.clear();
  }
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Nobody may be waiting for it any more when it fails.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
