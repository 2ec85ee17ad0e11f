import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, gzipSync } from 'node:zlib';
import type { BackendScript } from './conformance-case.ts';
import { TEXT } from './replies.ts';
import type { Dialect, Frame } from './subject.ts';

/** A real HTTP server on a free loopback port that answers every inference by one script, however badly. */
export interface ScriptedBackend {
  readonly url: string;
  /** Paths of the inferences asked for; what an adapter asks beside them does not count. */
  readonly requests: readonly string[];
  /** Headers of every request, also of what an adapter asks beside the inferences. */
  readonly headers: readonly IncomingMessage['headers'][];
  /** Bytes of answers that the sockets took. */
  readonly bytesTaken: number;
  /** Answers that are not over. */
  readonly answering: number;
  /** Ends all answers and closes the socket. */
  close(): Promise<void>;
}

/** Starts a backend on a free loopback port that answers each request by the script, in the words of the dialect. */
export async function scriptedBackend(script: BackendScript, dialect: Dialect): Promise<ScriptedBackend> {
  const backend = new Backend(script, dialect);
  await backend.listen();
  return backend;
}

class Backend implements ScriptedBackend {
  readonly requests: string[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  bytesTaken = 0;
  answering = 0;
  readonly #script: BackendScript;
  readonly #dialect: Dialect;
  readonly #ended = new AbortController();
  readonly #server = createServer((request, response) => {
    // A socket that the client has closed is what many cases are about.
    this.#serve(request, response).catch(() => response.destroy());
  });

  constructor(script: BackendScript, dialect: Dialect) {
    this.#script = script;
    this.#dialect = dialect;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    this.#ended.abort();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for await (const _ of request);
    this.headers.push(request.headers);
    const path = request.url ?? '';
    const aside = this.#dialect.aside?.(path);
    if (aside !== undefined) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(aside));
      return;
    }
    this.requests.push(path);
    this.answering++;
    response.once('close', () => this.answering--);
    await this.#answer(response);
  }

  async #answer(response: ServerResponse): Promise<void> {
    const { status = 200, headers, retryAfter, resetAt, headersAfterMs, after = 'end' } = this.#script;
    const { signal } = this.#ended;
    if (headersAfterMs === 'forever') return;
    if (headersAfterMs !== undefined) await sleep(headersAfterMs, undefined, { signal });
    if (resetAt === 'headers') return reset(response.socket);
    const { bytes, type } = bytesOf(this.#script, this.#dialect);
    response.writeHead(status, {
      'content-type': type,
      ...(this.#script.writes?.gzip ? { 'content-encoding': 'gzip' } : {}),
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfterOf(retryAfter) }),
      ...headers,
    });
    response.flushHeaders();
    await this.#write(response, resetAt === undefined ? bytes : bytes.subarray(0, resetAt));
    if (resetAt !== undefined) return reset(response.socket);
    if (after === 'end') response.end();
    if (after === 'hang_up') response.socket?.end();
  }

  async #write(response: ServerResponse, bytes: Uint8Array): Promise<void> {
    const { bytes: size = bytes.length, everyMs } = this.#script.writes ?? {};
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size);
      const taken = response.write(piece);
      this.bytesTaken += piece.length;
      if (!taken) await once(response, 'drain', { signal: this.#ended.signal });
      // Written in one turn, pieces would be joined on their way.
      else if (size < bytes.length) await sleep(everyMs ?? 0, undefined, { signal: this.#ended.signal });
    }
  }
}

function reset(socket: Socket | null): void {
  socket?.resetAndDestroy();
}

function retryAfterOf(value: string): string {
  return value === 'date' ? new Date(Date.now() + 2_000).toUTCString() : value;
}

function bytesOf(script: BackendScript, dialect: Dialect): { bytes: Uint8Array; type: string } {
  const { text, type = 'application/json' } = contentOf(script, dialect);
  const bytes = Buffer.from(text);
  if (!script.writes?.gzip) return { bytes, type };
  return { bytes: gzipSync(bytes, { finishFlush: constants.Z_FINISH }), type };
}

function contentOf(script: BackendScript, dialect: Dialect): { text: string; type?: string } {
  const { sends = 'reply', reply = TEXT } = script;
  if (typeof sends === 'object') return sends;
  if (sends === 'json') return { text: JSON.stringify(dialect.json(reply)) };
  const type = script.status === undefined ? 'text/event-stream' : 'application/json';
  const body = sends === 'error' || sends === 'nothing' ? [] : dialect.body(reply);
  const failure = sends.endsWith('error') ? dialect.error('the script lets this fail') : [];
  const frames = [...body, ...(sends === 'reply' ? dialect.ending(reply) : failure)];
  return { text: encode(frames, script.writes ?? {}), type };
}

function encode(frames: readonly Frame[], writes: NonNullable<BackendScript['writes']>): string {
  const { comments, withoutSpace, withoutLastBlank, byteOrderMark, lines = '\n' } = writes;
  const space = withoutSpace ? '' : ' ';
  const events = frames.map(({ event, data }) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    return `${event === undefined ? '' : `event:${space}${event}\n`}data:${space}${text}\n\n`;
  });
  const joined = events.join(comments ? ': still here\n\n:\n' : '');
  const text = withoutLastBlank ? joined.trimEnd() : joined;
  return (byteOrderMark ? '\uFEFF' : '') + text.replaceAll('\n', lines);
}
