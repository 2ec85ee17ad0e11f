import { type PieceSource, readPieces, type Told } from '../assemble/piece-source.ts';
import type { Reply } from '../assemble/reply.ts';
import type { EndpointSpec } from '../endpoint.ts';
import { AirframeError, isAirframeError } from '../errors.ts';
import type { RateLimits } from '../events.ts';
import { type ByteSource, type ByteTaker, byteSourceOf, readBytes } from './byte-source.ts';
import type { Deadlines } from './deadline.ts';
import { type ErrorReader, errorOfAnswer, redacted, requestIdOf } from './failure.ts';
import type { HttpFn, HttpRequest, HttpResponse } from './http.ts';
import { type SseEvent, SseParser } from './sse.ts';

/** An HTTP request as an adapter's `request.ts` makes it. */
export interface HttpCall {
  method: 'GET' | 'POST';
  /** Path under the endpoint's `baseUrl`, with a leading slash. */
  path: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** false: the connection is not used again, for a server that closes it anyhow. Default true. */
  keepAlive?: boolean;
}

/** What an adapter's `stream.ts` makes of the answer. */
export interface StreamReader {
  /** One SSE event. Returns true when it was the last: nothing that comes after it matters. */
  event(data: string, event: string | undefined): boolean;
  /** The whole answer, when the backend sends JSON instead of a stream. */
  body(json: unknown): void;
}

/** What {@link exchange} and {@link exchangeJson} work with, beside the call. */
export interface ExchangeOptions {
  http: HttpFn;
  endpoint: EndpointSpec;
  deadlines: Deadlines;
  /** Reads the backend's error body. */
  readError: ErrorReader;
  /** Told of the headers of every answer, whatever its status. */
  onHeaders?(headers: Record<string, string>): void;
  /** Reads the backend's rate-limit headers, when it has any. */
  readLimits?(headers: Record<string, string>): RateLimits | undefined;
}

/** Longest answer that is not a stream, in bytes. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Sends a call and, once a good status has come, gives what feeds the answer to a reader: it yields after each piece
 * that was read, and throws where the rest cannot be read.
 * @throws AirframeError for a failed connection, an expired deadline, an error status, an unreadable answer;
 * redacted
 */
export async function exchange(
  options: ExchangeOptions,
  call: HttpCall,
  reader: StreamReader,
  reply: Reply,
): Promise<AsyncIterable<void>> {
  const response = await send(options, call);
  options.onHeaders?.(response.headers);
  const limits = options.readLimits?.(response.headers);
  if (limits) reply.rateLimits(limits);
  if (!isOk(response)) throw await failureOf(options, response);
  reply.identify({ status: response.status, requestId: requestIdOf(response.headers) });
  const isStream = response.headers['content-type']?.startsWith('text/event-stream');
  return isStream
    ? new SseAnswer(options, response.body, reader, reply)
    : readWhole(options, response, reader);
}

async function* readWhole(
  { deadlines, endpoint }: ExchangeOptions,
  response: HttpResponse,
  reader: StreamReader,
): AsyncGenerator<void, void, undefined> {
  try {
    reader.body(parseJson(await readText(response, deadlines)));
  } catch (error) {
    throw redacted(error, endpoint);
  }
  yield;
}

/** A stream of events on its way into a reply. */
class SseAnswer implements AsyncIterable<void>, PieceSource, ByteTaker {
  readonly #options: ExchangeOptions;
  readonly #reader: StreamReader;
  readonly #reply: Reply;
  readonly #body: ByteSource;
  readonly #parser = new SseParser();
  #told: Told | undefined;
  /** The last event has come. */
  #last = false;
  /** There have been events in what was read last. */
  #some = false;
  /** The body has ended. */
  #ended = false;
  /** Nothing more will be read of it. */
  #over = false;
  #closing: NodeJS.Timeout | undefined;
  /** True while the body is asked, for a body that tells at once. */
  #asking = false;
  #again = false;

  constructor(options: ExchangeOptions, body: AsyncIterable<Uint8Array>, reader: StreamReader, reply: Reply) {
    this.#options = options;
    this.#body = byteSourceOf(body);
    this.#reader = reader;
    this.#reply = reply;
  }

  [Symbol.asyncIterator](): AsyncIterator<void> {
    return {
      next: () =>
        new Promise((resolve, reject) => {
          this[readPieces]((done, error) =>
            error === undefined ? resolve({ done, value: undefined }) : reject(error),
          );
        }),
      return: async () => {
        await this.close();
        return { done: true, value: undefined };
      },
    };
  }

  [readPieces](told: Told): void {
    this.#told = told;
    if (this.#over) this.#tell(true);
    else this.#ask();
  }

  close(): Promise<unknown> | undefined {
    if (this.#ended) return undefined;
    const closed = Promise.resolve(this.#body.return?.()).catch(() => {});
    // After the last event a read may be pending still, and a generator would close only after it.
    return this.#last ? undefined : closed;
  }

  bytes(chunk: Uint8Array): void {
    if (this.#isBehindLast()) return;
    // The consumer's time is not the backend's silence.
    this.#options.deadlines.pause();
    this.#some = false;
    try {
      this.#parser.feed(chunk, this.#take);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (this.#some) this.#tell(false);
    else this.#ask();
  }

  end(): void {
    this.#ended = true;
    if (this.#isBehindLast()) return;
    this.#options.deadlines.pause();
    this.#over = true;
    try {
      readRest(this.#parser, this.#reader, this.#take);
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#tell(false);
  }

  fail(error: unknown): void {
    this.#ended = true;
    if (this.#isBehindLast()) return;
    this.#options.deadlines.pause();
    this.#failed(error);
  }

  #ask(): void {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    do {
      this.#again = false;
      if (!this.#last) this.#options.deadlines.enter('idle');
      this.#body[readBytes](this);
    } while (this.#again);
    this.#asking = false;
    // Read to its end the socket goes back to the pool; a backend that leaves it open loses it.
    if (this.#last && this.#told) this.#closing = setTimeout(() => this.#isBehindLast(), CLOSING_MS);
  }

  /** What comes behind the last event is its end, whatever it is. */
  #isBehindLast(): boolean {
    if (!this.#last) return false;
    clearTimeout(this.#closing);
    this.#over = true;
    this.#tell(true);
    return true;
  }

  readonly #take = ({ data, event }: SseEvent): void => {
    // What stands behind the last one must not matter, however the network cuts it.
    if (this.#last) return;
    this.#last = this.#reader.event(data, event);
    this.#some = true;
  };

  #failed(error: unknown): void {
    this.#over = true;
    // A reply that is whole stays so, however the connection ends.
    const isWhole = this.#reply.finished && isAirframeError(error) && error.category === 'connection';
    this.#tell(true, isWhole ? undefined : redacted(error, this.#options.endpoint));
  }

  #tell(done: boolean, error?: unknown): void {
    const told = this.#told;
    this.#told = undefined;
    told?.(done, error);
  }
}

/** Longest wait for the end of a body whose last event has come, in milliseconds. */
const CLOSING_MS = 250;

/** A last event without its empty line counts; half of one is not a bad event but the mark of a cut stream. */
function readRest(parser: SseParser, reader: StreamReader, take: (event: SseEvent) => void): void {
  try {
    parser.end(take);
    if (parser.stray !== undefined) reader.event(parser.stray, undefined);
  } catch (error) {
    if (!isAirframeError(error) || error.category !== 'parse') throw error;
  }
}

/**
 * A call whose answer is one JSON value.
 * @param read makes the result of it; what it throws is redacted
 * @throws AirframeError as {@link exchange} does
 */
export async function exchangeJson<T>(
  options: ExchangeOptions,
  call: HttpCall,
  read: (json: unknown) => T,
): Promise<T> {
  const response = await send(options, call);
  if (!isOk(response)) throw await failureOf(options, response);
  try {
    return read(parseJson(await readText(response, options.deadlines)));
  } catch (error) {
    throw redacted(error, options.endpoint);
  }
}

async function send({ http, endpoint, deadlines }: ExchangeOptions, call: HttpCall): Promise<HttpResponse> {
  const request = new OutgoingRequest(endpoint, deadlines, call, http.heedsEnding === true);
  const answer = http(request);
  // Over a connection of the pool it is sent at once: that needs no clock.
  if (!request.isSent) deadlines.enter('connect');
  const response = await answer;
  deadlines.pause();
  const coding = response.headers['content-encoding'];
  if (coding === undefined) return response;
  const { decoded } = await import('./decode.ts');
  return { ...response, body: decoded(response.body, coding) };
}

class OutgoingRequest implements HttpRequest {
  readonly method: HttpCall['method'];
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly keepAlive?: boolean;
  readonly signal!: AbortSignal;
  readonly ending?: Deadlines;
  readonly #deadlines: Deadlines;
  isSent = false;

  constructor(
    { baseUrl, headers }: EndpointSpec,
    deadlines: Deadlines,
    call: HttpCall,
    heedsEnding: boolean,
  ) {
    this.method = call.method;
    this.url = (baseUrl.endsWith('/') ? baseUrl.replace(/\/+$/, '') : baseUrl) + call.path;
    this.headers = Object.assign(
      call.body === undefined ? {} : { 'content-type': 'application/json' },
      call.headers,
      headers,
    );
    this.#deadlines = deadlines;
    if (call.body !== undefined) this.body = JSON.stringify(call.body);
    if (call.keepAlive !== undefined) this.keepAlive = call.keepAlive;
    // What it costs to make a signal is worth the question who needs one.
    if (heedsEnding) this.ending = deadlines;
    else this.signal = deadlines.signal;
  }

  // Of its own, as all that it has: a copy of the request has it as well.
  readonly onConnected = (): void => {
    this.isSent = true;
    this.#deadlines.enter('headers');
  };
}

async function readText(response: HttpResponse, deadlines: Deadlines): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  deadlines.enter('idle');
  for await (const chunk of response.body) {
    deadlines.touch();
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw new AirframeError('parse', `the answer is over ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  deadlines.pause();
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AirframeError('parse', 'the backend answered with something that is not JSON', {
      raw: text,
      cause,
    });
  }
}

async function failureOf(options: ExchangeOptions, response: HttpResponse): Promise<AirframeError> {
  const text = await readText(response, options.deadlines).catch(problemOfBody);
  return errorOfAnswer(options.endpoint, response, text, options.readError);
}

/** An error whose body cannot be read is still the error its status says. */
function problemOfBody(error: unknown): string {
  if (isAirframeError(error) && error.category === 'parse') return error.problem;
  throw error;
}

const isOk = ({ status }: HttpResponse): boolean => status >= 200 && status < 300;
