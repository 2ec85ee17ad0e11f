import type { Dispatcher } from 'undici';
import { AirframeError } from '../errors.ts';
import { type ByteSource, type ByteTaker, readBytes } from './byte-source.ts';
import { connectionError } from './connection-error.ts';
import type { Ending } from './deadline.ts';
import type { Reader, SocketPool } from './pool.ts';

/** One request, as an {@link HttpFn} gets it. */
export interface HttpRequest {
  method: 'GET' | 'POST';
  url: string;
  headers: Record<string, string>;
  body?: string;
  /** false: the connection is not used again, for a server that closes it anyhow. Default true. */
  keepAlive?: boolean;
  /**
   * Fires to end the request at any stage; the reason is what the promise or the body throws. Absent only for an HttpFn
   * that {@link HttpFn.heedsEnding}.
   */
  signal: AbortSignal;
  /** The same for less; given to an HttpFn that heeds it, and to no other. */
  ending?: Ending;
  /** Called once the socket is open and the request is being written. */
  onConnected?: () => void;
}

/** The head of an answer, and its body while it comes. */
export interface HttpResponse {
  status: number;
  /** Lower-case names; repeated ones joined with `, `. */
  headers: Record<string, string>;
  /**
   * Pull-based: a body not read makes the socket wait. `return()` closes the socket unless the body is at its end.
   * As sent: an HttpFn that undoes a `content-encoding` itself, as `fetch` does, leaves that header out.
   */
  body: AsyncIterable<Uint8Array>;
}

/**
 * The one door to the network. Tests and other runtimes put their own function here.
 * Never follows redirects: a key must not travel to a host that nobody configured.
 */
export interface HttpFn {
  (request: HttpRequest): Promise<HttpResponse>;
  /** true: it goes by `ending` where that is given, and needs no `signal` then. */
  heedsEnding?: boolean;
  /** Closes all connections at once. */
  close?(): Promise<void>;
}

/** What {@link createHttp} takes. */
export interface HttpOptions {
  /** undici dispatcher to use, e.g. a ProxyAgent; whoever made it closes it. Default: a pool of its own. */
  dispatcher?: Dispatcher;
}

/** An HttpFn over undici. */
export function createHttp(options: HttpOptions = {}): HttpFn {
  const { dispatcher } = options;
  const addresses = new Addresses();
  if (dispatcher) {
    const http: HttpFn = request => send(request, addresses, dispatcher);
    http.heedsEnding = true;
    return http;
  }
  let opening: Promise<SocketPool> | undefined;
  let open: SocketPool | undefined;
  const first = async (request: HttpRequest): Promise<HttpResponse> => {
    // undici is half of what importing this package would cost, and an in-process model never needs it.
    opening ??= import('./pool.ts').then(({ SocketPool }) => new SocketPool());
    const own = opening;
    const pool = await own;
    // Unless it has been closed meanwhile.
    if (opening === own) open = pool;
    return send(request, addresses, pool.agent, pool);
  };
  const http: HttpFn = request => (open ? send(request, addresses, open.agent, open) : first(request));
  http.heedsEnding = true;
  http.close = async () => {
    const closing = opening;
    opening = undefined;
    open = undefined;
    await (await closing)?.agent.destroy();
  };
  return http;
}

function send(
  request: HttpRequest,
  addresses: Addresses,
  dispatcher: Dispatcher,
  pool?: SocketPool,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const { origin, path } = addresses.partsOf(request.url);
    const exchange = new Exchange(request, origin, pool, resolve, reject);
    try {
      dispatcher.dispatch(
        {
          origin,
          path,
          method: request.method,
          headers: request.headers,
          body: request.body ?? null,
          reset: request.keepAlive === false,
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        exchange,
      );
    } catch (error) {
      exchange.onResponseError(undefined, error as Error);
    }
  });
}

/** Most addresses remembered; there are a few for each endpoint. */
const MAX_ADDRESSES = 1_000;

interface Address {
  origin: string;
  path: string;
}

/** Addresses in their parts: for each call the same ones. */
class Addresses {
  readonly #known = new Map<string, Address>();

  partsOf(url: string): Address {
    const known = this.#known.get(url);
    if (known) return known;
    const { origin, pathname, search } = new URL(url);
    const address = { origin, path: pathname + search };
    if (this.#known.size >= MAX_ADDRESSES) this.#known.clear();
    this.#known.set(url, address);
    return address;
  }
}

type Read = IteratorResult<Uint8Array, undefined>;

/** Bytes that may wait for the reader before the socket has to: pausing it for each piece costs more than reading. */
const MAX_WAITING_BYTES = 64 * 1024;

/** One request and its response: undici pushes, the reader pulls, and between them the socket is paused. */
class Exchange
  implements Dispatcher.DispatchHandler, AsyncIterableIterator<Uint8Array, undefined>, ByteSource
{
  readonly #request: HttpRequest;
  readonly #ending: Ending;
  readonly #origin: string;
  readonly #pool: SocketPool | undefined;
  #reader: SocketReader | undefined;
  readonly #resolve: (response: HttpResponse) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #taker: ByteTaker | undefined;
  #ended = false;
  #failed = false;
  #error: unknown;

  constructor(
    request: HttpRequest,
    origin: string,
    pool: SocketPool | undefined,
    resolve: (response: HttpResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.#request = request;
    this.#ending = request.ending ?? endingOf(request.signal);
    this.#origin = origin;
    this.#pool = pool;
    this.#resolve = resolve;
    this.#reject = reject;
    pool?.waits(origin);
    // Before the socket is open there is no controller to abort: then the promise alone must end.
    if (this.#ending.aborted) this.#onEnd();
    else this.#ending.onEnd(this.#onEnd);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failed) {
      controller.abort(asError(this.#error));
      return;
    }
    this.#pool?.waitsNoMore(this.#origin);
    this.#request.onConnected?.();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (statusCode < 200) return;
    if (this.#pool) {
      this.#reader = new SocketReader(this);
      this.#pool.reads(this.#reader);
    }
    const flat: Record<string, string> = {};
    for (const name in headers) {
      const value = headers[name];
      if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
    }
    this.#resolve({ status: statusCode, headers: flat, body: this });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (chunk.length === 0) return;
    const taker = this.#taker;
    if (taker) {
      this.#taker = undefined;
      taker.bytes(chunk);
    } else {
      this.#chunks.push(chunk);
      this.#waitingBytes += chunk.length;
      if (this.#waitingBytes >= MAX_WAITING_BYTES) controller.pause();
    }
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#over();
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(this.#ending.aborted ? this.#ending.reason : connectionError(error, this.#request.url));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [readBytes](taker: ByteTaker): void {
    const chunk = this.#chunks.shift();
    if (chunk) {
      this.#waitingBytes -= chunk.length;
      taker.bytes(chunk);
      return;
    }
    // What had arrived before a failure is handed out first: nothing received is lost.
    if (this.#failed) taker.fail(this.#error);
    else if (this.#ended) taker.end();
    else {
      this.#taker = taker;
      this.resume();
    }
  }

  next(): Promise<Read> {
    return new Promise((resolve, reject) => {
      this[readBytes]({
        bytes: value => resolve({ done: false, value }),
        end: () => resolve({ done: true, value: undefined }),
        fail: reject,
      });
    });
  }

  resume(): void {
    if (this.#controller?.paused) this.#controller.resume();
  }

  return(): Promise<Read> {
    this.#chunks = [];
    if (!this.#ended) this.#fail(new AirframeError('aborted', 'the response was not read to its end'));
    return Promise.resolve({ done: true, value: undefined });
  }

  readonly #onEnd = (): void => this.#fail(this.#ending.reason);

  #over(): void {
    this.#ending.offEnd(this.#onEnd);
    this.#reader?.leave();
  }

  #fail(error: unknown): void {
    if (this.#failed || this.#ended) return;
    this.#failed = true;
    this.#error = error;
    if (!this.#controller) this.#pool?.waitsNoMore(this.#origin);
    this.#over();
    this.#reject(error);
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.fail(error);
    if (this.#controller && !this.#controller.aborted) this.#controller.abort(asError(error));
  }
}

/** What a socket knows of the exchange on it: nothing any more when that is over, or the call would live until the next. */
class SocketReader implements Reader {
  #exchange: Exchange | undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  resume(): void {
    this.#exchange?.resume();
  }

  leave(): void {
    this.#exchange = undefined;
  }
}

function endingOf(signal: AbortSignal): Ending {
  return {
    get aborted() {
      return signal.aborted;
    },
    get reason() {
      return signal.reason;
    },
    onEnd: tell => signal.addEventListener('abort', tell, { once: true }),
    offEnd: tell => signal.removeEventListener('abort', tell),
  };
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
