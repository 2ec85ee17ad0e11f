import { AirframeError } from '../errors.ts';
import type { HttpFn, HttpRequest, HttpResponse } from '../transport/http.ts';
import { sleep } from '../transport/sleep.ts';
import { bodyDifferences, isLike, routeOf } from './differences.ts';
import { checkRecording, type RecordedExchange, type RecordedRequest, type Recording } from './recording.ts';
import { Secrets } from './secrets.ts';
import { type Piece, resplit, type Split } from './split.ts';

/** What {@link replayHttp} takes. */
export interface ReplayOptions {
  /**
   * Which recorded exchange answers a request; the first one not used yet that matches does. `body` (default): the
   * same method, path with query, and body. `path`: the same method and path with query. A function: whenever it
   * says so. Hosts and headers are not compared, and a secret left out of the recording matches anything.
   */
  match?: 'body' | 'path' | ((asked: HttpRequest, recorded: RecordedRequest) => boolean);
  /** Factor on the recorded times: 1 as recorded, 0.1 ten times as fast. Default 0: without waiting. */
  timeScale?: number;
  /** Where bodies are cut into chunks. Default `recorded`. */
  split?: Split;
}

/** An HttpFn that answers from a recording. */
export interface HttpReplay extends HttpFn {
  /** @throws AirframeError naming every exchange that nobody has asked for */
  assertAllUsed(): void;
}

/**
 * Serves the exchanges of a recording, each once: the same answers in the same chunks, and the same faults at the same
 * places, as errors of the same category and code. Aborts, leaving early and slow readers are treated as
 * {@link HttpFn} says. A body whose recording stops because the caller aborted it ends with that error; one that
 * stops because its reader left fails with the code `recording_ends`.
 *
 * A request that no exchange is left for is answered with an AirframeError (invalid_request, code `not_recorded`)
 * that shows the nearest exchange and what tells it apart.
 *
 * @throws AirframeError (invalid_request) when it is no recording
 */
export function replayHttp(recording: Recording, options: ReplayOptions = {}): HttpReplay {
  const { timeScale = 0, split = 'recorded', match = 'body' } = options;
  if (!(timeScale >= 0 && timeScale < Number.POSITIVE_INFINITY)) {
    throw new AirframeError('invalid_request', `timeScale has to be 0 or more, and is ${timeScale}`);
  }
  const { exchanges } = checkRecording(recording, 'recording');
  const unused = new Set(exchanges);
  const replay = async (request: HttpRequest): Promise<HttpResponse> => {
    const exchange = [...unused].find(({ request: recorded }) => matches(match, request, recorded));
    if (!exchange) throw notRecorded(exchanges, unused, request);
    unused.delete(exchange);
    return await serve(exchange, request, timeScale, split);
  };
  return Object.assign(replay, {
    assertAllUsed: () => {
      if (unused.size === 0) return;
      const left = [...unused].map(one => nameOf(exchanges, one)).join(', ');
      throw new AirframeError('invalid_request', `nobody asked for ${left}`, { code: 'recording_unused' });
    },
  });
}

function matches(
  match: NonNullable<ReplayOptions['match']>,
  request: HttpRequest,
  recorded: RecordedRequest,
): boolean {
  if (typeof match === 'function') return match(request, recorded);
  const asked = plain(request);
  if (!isLike(routeOf(recorded), routeOf(asked))) return false;
  return match === 'path' || bodyDifferences(recorded, asked, String).length === 0;
}

function plain({ method, url, headers, body }: HttpRequest): RecordedRequest {
  return { method, url, headers, ...(body === undefined ? {} : { text: body }) };
}

function nameOf(exchanges: readonly RecordedExchange[], exchange: RecordedExchange): string {
  return `exchange ${exchanges.indexOf(exchange) + 1} of ${exchanges.length} (${routeOf(exchange.request)})`;
}

/** Differences that an error lists. */
const SHOWN_DIFFERENCES = 3;

function notRecorded(
  exchanges: readonly RecordedExchange[],
  unused: ReadonlySet<RecordedExchange>,
  request: HttpRequest,
): AirframeError {
  const asked = plain(request);
  const secrets = new Secrets();
  secrets.learn(request.headers, request.url);
  const candidates = exchanges
    .map(exchange => {
      const isRoute = isLike(routeOf(exchange.request), routeOf(asked));
      const found = bodyDifferences(exchange.request, asked, text => secrets.text(text));
      if (!isRoute) found.unshift(`recorded ${routeOf(exchange.request)}`);
      return { exchange, isRoute, found };
    })
    .sort((a, b) => Number(b.isRoute) - Number(a.isRoute) || a.found.length - b.found.length);
  const nearest = candidates.find(({ exchange }) => unused.has(exchange));
  const served = candidates.find(({ exchange, found }) => found.length === 0 && !unused.has(exchange));
  const reasons = [];
  if (served) reasons.push(`${nameOf(exchanges, served.exchange)} is the same and was served before`);
  if (nearest) {
    const { found } = nearest;
    const more = found.length > SHOWN_DIFFERENCES ? ` and ${found.length - SHOWN_DIFFERENCES} more` : '';
    const list = found.slice(0, SHOWN_DIFFERENCES).join('; ') || 'the match function refused it';
    reasons.push(`the nearest is ${nameOf(exchanges, nearest.exchange)}: ${list}${more}`);
  }
  if (reasons.length === 0) reasons.push(`all ${exchanges.length} exchanges were served`);
  const route = routeOf({ ...asked, url: secrets.url(asked.url) });
  const problem = `no recorded exchange is left for ${route}: ${reasons.join('; ')}`;
  return new AirframeError('invalid_request', problem, {
    code: 'not_recorded',
    remedy: "record it again, or match looser (option match of replayHttp: 'path' or a function)",
  });
}

/** Resolves at a recorded time. @throws the reason of a signal that fires before it */
type Until = (atMs: number, ...signals: AbortSignal[]) => Promise<void>;

async function serve(
  exchange: RecordedExchange,
  request: HttpRequest,
  timeScale: number,
  split: Split,
): Promise<HttpResponse> {
  const started = performance.now();
  const until: Until = async (atMs, ...more) => {
    const signals = [request.signal, ...more];
    const ms = atMs * timeScale - (performance.now() - started);
    if (ms > 0) await sleep(ms, ...signals);
    for (const signal of signals) signal.throwIfAborted();
  };
  const { connectedMs, response, end } = exchange;
  if (connectedMs !== undefined) {
    await until(connectedMs);
    request.onConnected?.();
  }
  if (!response) {
    await until(end?.atMs ?? 0);
    throw endingOf(exchange);
  }
  await until(response.atMs);
  const { status, headers } = response;
  return { status, headers: { ...headers }, body: new ReplayedBody(exchange, until, split) };
}

/** What a recorded exchange throws when it has no more to give. */
function endingOf({ request, chunks, end }: RecordedExchange): AirframeError {
  if (end && 'error' in end) {
    const { category, problem, ...facts } = end.error;
    return new AirframeError(category, problem, facts);
  }
  const problem = `the recording of ${routeOf(request)} ends after ${chunks.length} chunks, where its reader left`;
  return new AirframeError('invalid_request', problem, {
    code: 'recording_ends',
    remedy: 'record it again, read to its end',
  });
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** A recorded body. It goes on only when it is read. */
class ReplayedBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #exchange: RecordedExchange;
  readonly #until: Until;
  readonly #pieces: Piece[];
  readonly #left = new AbortController();
  #at = 0;
  #failure: { error: unknown } | undefined;
  #ended = false;

  constructor(exchange: RecordedExchange, until: Until, split: Split) {
    this.#exchange = exchange;
    this.#until = until;
    const chunks = exchange.chunks.map(({ atMs, text, base64 }) => ({
      atMs,
      bytes: text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text),
    }));
    this.#pieces = resplit(chunks, split);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#failure) throw this.#failure.error;
    if (this.#ended) return DONE;
    const piece = this.#pieces[this.#at++];
    const { end } = this.#exchange;
    try {
      await this.#until(piece?.atMs ?? end?.atMs ?? 0, this.#left.signal);
      if (piece) return { done: false, value: piece.bytes };
      if (end?.how !== 'end') throw endingOf(this.#exchange);
      this.#ended = true;
      return DONE;
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#ended && !this.#failure) {
      const error = new AirframeError('aborted', 'the response was not read to its end');
      this.#failure = { error };
      this.#left.abort(error);
    }
    return DONE;
  }
}
