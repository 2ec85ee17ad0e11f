// A client that sees what is on the wire: whether a body came to the end that HTTP gives it, and whether it was cut off.
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { seen } from '../../../../test/seen.ts';
import { KEY } from '../running-gateway.ts';

/** An answer, or as much of it as came. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body came to its end: with its last chunk, or in its full length. */
  whole: boolean;
}

export interface Call {
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Default: that of the test's client. */
  key?: string;
}

/** A call that its client may leave. */
export interface OpenCall {
  /** Resolves with the headers. */
  response: Promise<IncomingMessage>;
  /** Resolves with the first piece of the body. */
  begun: Promise<unknown>;
  /** Resolves with what came; rejects when not even headers did. */
  answer: Promise<Answer>;
  leave(): void;
}

/** Sends a call on a connection of its own. */
export function open(url: string, { path, body, headers = {}, key = KEY }: Call): OpenCall {
  const sent = request(`${url}${path}`, {
    method: 'POST',
    agent: false,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve);
    sent.on('error', reject);
  });
  const begun = response.then(got => once(got, 'data'));
  const answer = response.then(read).then(got => {
    const { 'retry-after': retryAfter, 'x-should-retry': shouldRetry } = got.headers;
    seen({ of: 'answer', status: got.status, whole: got.whole, retryAfter, shouldRetry });
    return got;
  });
  for (const promise of [response, begun, answer]) promise.catch(() => {});
  sent.end(typeof body === 'string' ? body : JSON.stringify(body));
  const leave = () => {
    seen({ of: 'client left', at: performance.now() });
    sent.destroy();
  };
  return { response, begun, answer, leave };
}

export async function call(url: string, asked: Call): Promise<Answer> {
  return open(url, asked).answer;
}

export async function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const sent = request(url, { agent: false, headers });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return read(response);
}

async function read(response: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  let text = '';
  response.setEncoding('utf8');
  response.on('data', piece => {
    text += piece;
  });
  // Cut off: `complete` tells.
  response.on('error', () => {});
  await new Promise(resolve => response.on('close', resolve));
  return { status, headers, text, whole: response.complete };
}

/** Events of an event stream; comments are left out. */
export function eventsOf(text: string): { event: string | undefined; data: string }[] {
  return text.split('\n\n').flatMap(block => {
    const lines = block.split('\n');
    const field = (name: string) => lines.find(line => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const data = field('data');
    return data === undefined ? [] : [{ event: field('event'), data }];
  });
}

/** A bare socket to the gateway, and all that comes over it. */
export async function rawSocket(url: string): Promise<{ socket: Socket; text(): string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', chunk => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, text: () => text };
}

/** The lines of a POST as they go over a socket. */
export function rawPost(
  target: string,
  body: unknown,
  headers: Record<string, string> = {},
  key: string = KEY,
): string {
  const text = JSON.stringify(body);
  const lines = { host: 'gateway', authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const all = { ...lines, 'content-length': String(Buffer.byteLength(text)), ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${target} HTTP/1.1\r\n${head.join('')}\r\n${text}`;
}

/** An address where nobody listens. */
export async function closedUrl(): Promise<string> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}
