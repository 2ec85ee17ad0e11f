import { AirframeError } from '../errors.ts';
import type { HttpFn, HttpRequest, HttpResponse } from '../transport/http.ts';
import {
  RECORDING_VERSION,
  type RecordedChunk,
  type RecordedEnd,
  type RecordedError,
  type RecordedExchange,
  type RecordedRequest,
  type Recording,
} from './recording.ts';
import { Secrets } from './secrets.ts';

/** What {@link recordHttp} takes. */
export interface RecordOptions {
  /** Texts that must not stand in the recording, beside the keys that are found by themselves. */
  secrets?: readonly string[];
}

/** An HttpFn that keeps what goes through it. */
export interface HttpRecorder extends HttpFn {
  /** All exchanges so far, without their secrets. One that is still under way has no `end`. */
  recording(): Recording;
}

/**
 * Records what goes through an HttpFn and changes nothing about it: reads are passed on one by one, and so are
 * aborts, errors, leaving and `close`.
 *
 * Left out of the recording: the values of headers and query parameters whose name looks secret (authorization,
 * x-api-key, cookie, key, …), the same values wherever else they stand, also over a chunk boundary, escaped for
 * JSON or for a URL; the `secrets` given; and what has the shape of a known key. Not found is a secret in a
 * compressed body, and one that a model spells out over several events.
 */
export function recordHttp(http: HttpFn, options: RecordOptions = {}): HttpRecorder {
  const tapes: Tape[] = [];
  const record = async (request: HttpRequest): Promise<HttpResponse> => {
    const tape = new Tape(request);
    tapes.push(tape);
    return await tape.run(http);
  };
  const recording = (): Recording => {
    const secrets = new Secrets(options.secrets);
    for (const tape of tapes) tape.tell(secrets);
    return { version: RECORDING_VERSION, exchanges: tapes.map(tape => tape.exchange(secrets)) };
  };
  const close = http.close && (async () => http.close?.());
  return Object.assign(record, { recording, ...(close ? { close } : {}) });
}

type Read = IteratorResult<Uint8Array, undefined>;

/** One exchange while it runs, and its body on the way to the reader. */
class Tape implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #request: HttpRequest;
  readonly #started = performance.now();
  #connectedMs: number | undefined;
  #response: RecordedExchange['response'];
  #source: AsyncIterator<Uint8Array> | undefined;
  readonly #chunks: { atMs: number; bytes: Uint8Array }[] = [];
  #end: { atMs: number; how: RecordedEnd['how']; error?: AirframeError } | undefined;

  constructor(request: HttpRequest) {
    this.#request = request;
    request.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  async run(http: HttpFn): Promise<HttpResponse> {
    const { onConnected } = this.#request;
    try {
      const response = await http({
        ...this.#request,
        onConnected: () => {
          this.#connectedMs = this.#now();
          onConnected?.();
        },
      });
      const { status, headers } = response;
      this.#response = { atMs: this.#now(), status, headers };
      this.#source = response.body[Symbol.asyncIterator]();
      return { ...response, body: this };
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Read> {
    try {
      const step = (await this.#source?.next()) ?? { done: true, value: undefined };
      if (step.done) {
        this.#ended('end');
        return { done: true, value: undefined };
      }
      // A copy: what the reader does to its bytes is not to be seen here.
      this.#chunks.push({ atMs: this.#now(), bytes: Uint8Array.from(step.value) });
      return step;
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  async return(): Promise<Read> {
    this.#ended('left');
    await this.#source?.return?.();
    return { done: true, value: undefined };
  }

  /** Tells the secrets that stand in its headers and its address. */
  tell(secrets: Secrets): void {
    secrets.learn(this.#request.headers, this.#request.url);
    secrets.learn(this.#response?.headers ?? {});
  }

  exchange(secrets: Secrets): RecordedExchange {
    const bodies = secrets.body(this.#chunks.map(({ bytes }) => bytes));
    const { status = 0, headers = {}, atMs = 0 } = this.#response ?? {};
    return {
      request: recordedRequest(this.#request, secrets),
      ...(this.#connectedMs === undefined ? {} : { connectedMs: this.#connectedMs }),
      ...(this.#response ? { response: { atMs, status, headers: secrets.headers(headers) } } : {}),
      chunks: this.#chunks.map((chunk, index) => recordedChunk(chunk.atMs, bodies[index] ?? chunk.bytes)),
      ...(this.#end ? { end: recordedEnd(this.#end, secrets) } : {}),
    };
  }

  readonly #onAbort = (): void => this.#failed(this.#request.signal.reason);

  #failed(error: unknown): void {
    const { aborted, reason } = this.#request.signal;
    this.#ended(aborted ? 'aborted' : 'fault', AirframeError.from(aborted ? reason : error));
  }

  #ended(how: RecordedEnd['how'], error?: AirframeError): void {
    this.#end ??= { atMs: this.#now(), how, ...(error ? { error } : {}) };
    this.#request.signal.removeEventListener('abort', this.#onAbort);
  }

  #now(): number {
    return Math.round(performance.now() - this.#started);
  }
}

function recordedRequest(request: HttpRequest, secrets: Secrets): RecordedRequest {
  const { method, url, headers, body } = request;
  const recorded = { method, url: secrets.url(url), headers: secrets.headers(headers) };
  if (body === undefined) return recorded;
  const text = secrets.text(body);
  try {
    const json: unknown = JSON.parse(text);
    if (JSON.stringify(json) === text) return { ...recorded, json };
  } catch {
    // Any text may be a body.
  }
  return { ...recorded, text };
}

function recordedChunk(atMs: number, bytes: Uint8Array): RecordedChunk {
  try {
    return { atMs, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { atMs, base64: Buffer.from(bytes).toString('base64') };
  }
}

function recordedEnd(
  { atMs, how, error }: { atMs: number; how: RecordedEnd['how']; error?: AirframeError },
  secrets: Secrets,
): RecordedEnd {
  if (how === 'end' || how === 'left') return { atMs, how };
  const { category, code, problem, remedy, retryable } = error ?? AirframeError.from(undefined);
  const recorded: RecordedError = {
    category,
    ...(code === undefined ? {} : { code }),
    problem: secrets.text(problem),
    ...(remedy === undefined ? {} : { remedy }),
    retryable,
  };
  return { atMs, how, error: recorded };
}
