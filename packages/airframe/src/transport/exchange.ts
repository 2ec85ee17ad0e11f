import type { Reply } from '../assemble/reply.ts';
import type { EndpointSpec } from '../endpoint.ts';
import { AirframeError, type AirframeErrorOptions, type ErrorCategory } from '../errors.ts';
import type { Deadlines } from './deadline.ts';
import type { HttpFn, HttpResponse } from './http.ts';
import { redact, secretsOf } from './redact.ts';
import { parseRetryAfter } from './retry-after.ts';
import { SseParser } from './sse.ts';

/** An HTTP request as an adapter's `request.ts` makes it. */
export interface HttpCall {
  method: 'GET' | 'POST';
  /** Path under the endpoint's `baseUrl`, with a leading slash. */
  path: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
}

/** What an adapter's `stream.ts` makes of the answer. */
export interface StreamReader {
  /** One SSE event. */
  event(data: string, event: string | undefined): void;
  /** The whole answer, when the backend sends JSON instead of a stream. */
  body(json: unknown): void;
}

/** What an adapter knows of its backend's error body. `undefined`: the status decides. */
export interface ErrorFacts
  extends Pick<AirframeErrorOptions, 'code' | 'retryable' | 'promptTokens' | 'contextTokens'> {
  category?: ErrorCategory | undefined;
  message?: string | undefined;
}

export interface ExchangeOptions {
  http: HttpFn;
  endpoint: EndpointSpec;
  deadlines: Deadlines;
  /** Reads the backend's error body. */
  readError(status: number, body: unknown): ErrorFacts;
}

/** Longest answer that is not a stream, in bytes. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

const CATEGORY_OF_STATUS: Record<number, ErrorCategory> = {
  401: 'auth',
  402: 'quota',
  403: 'auth',
  404: 'not_found',
  408: 'timeout',
  429: 'rate_limit',
  502: 'overloaded',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
};

/**
 * Sends a call and feeds the answer to a reader; yields after each piece that was read.
 * @throws AirframeError for a failed connection, an expired deadline, an error status, an unreadable answer
 */
export async function* exchange(
  options: ExchangeOptions,
  call: HttpCall,
  reader: StreamReader,
  reply: Reply,
): AsyncGenerator<void, void, undefined> {
  const { deadlines } = options;
  const response = await send(options, call);
  reply.identify({ status: response.status, requestId: requestIdOf(response) });
  if (!isOk(response)) throw await errorOf(options, response);
  if (!response.headers['content-type']?.startsWith('text/event-stream')) {
    const text = await readText(response, deadlines);
    reader.body(parseJson(text, options));
    yield;
    return;
  }
  const parser = new SseParser();
  deadlines.enter('idle');
  for await (const bytes of response.body) {
    const events = parser.feed(bytes);
    if (events.length === 0) {
      deadlines.touch();
      continue;
    }
    for (const { data, event } of events) reader.event(data, event);
    // The consumer's time is not the backend's silence.
    deadlines.pause();
    yield;
    deadlines.enter('idle');
  }
  for (const { data, event } of parser.end()) reader.event(data, event);
}

/**
 * A call whose answer is one JSON value.
 * @throws AirframeError as {@link exchange} does
 */
export async function exchangeJson(options: ExchangeOptions, call: HttpCall): Promise<unknown> {
  const response = await send(options, call);
  if (!isOk(response)) throw await errorOf(options, response);
  return parseJson(await readText(response, options.deadlines), options);
}

async function send({ http, endpoint, deadlines }: ExchangeOptions, call: HttpCall): Promise<HttpResponse> {
  deadlines.enter('connect');
  const response = await http({
    method: call.method,
    url: endpoint.baseUrl.replace(/\/+$/, '') + call.path,
    headers: {
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...call.headers,
      ...endpoint.headers,
    },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    signal: deadlines.signal,
    onConnected: () => deadlines.enter('headers'),
  });
  deadlines.pause();
  return response;
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

function parseJson(text: string, { endpoint }: ExchangeOptions): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const raw = redact(text, secretsOf(endpoint));
    throw new AirframeError('parse', `${endpoint.baseUrl} answered with something that is not JSON`, {
      raw,
      cause,
    });
  }
}

async function errorOf(options: ExchangeOptions, response: HttpResponse): Promise<AirframeError> {
  const { endpoint, deadlines, readError } = options;
  const { status, headers } = response;
  const text = redact(await readText(response, deadlines), secretsOf(endpoint));
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const facts = readError(status, body);
  const category =
    facts.category ?? CATEGORY_OF_STATUS[status] ?? (status >= 500 ? 'backend' : 'invalid_request');
  const said = facts.message ?? text.slice(0, 200).trim();
  return new AirframeError(category, `${endpoint.baseUrl} answered ${status}${said ? `: ${said}` : ''}`, {
    ...facts,
    status,
    retryAfterMs: parseRetryAfter(headers),
    requestId: requestIdOf(response),
    raw: text,
  });
}

const isOk = ({ status }: HttpResponse): boolean => status >= 200 && status < 300;

function requestIdOf({ headers }: HttpResponse): string | undefined {
  return headers['x-request-id'] ?? headers['request-id'] ?? headers['apim-request-id'];
}
