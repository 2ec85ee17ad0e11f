import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

interface ApiObject {
  metadata: { name: string; labels?: Record<string, string>; resourceVersion?: string };
  [field: string]: unknown;
}

interface LoggedEvent {
  type: string;
  path: string;
  version: number;
  object: ApiObject;
}

export interface ApiRequest {
  method: string;
  path: string;
  /** `list` or `watch`. */
  verb: string;
  query: Record<string, string>;
  authorization: string | undefined;
}

/** How a request is to be refused, in place of its answer. */
export interface Refusal {
  /** 0: the connection is broken. */
  status: number;
  message?: string;
  headers?: Record<string, string>;
}

interface OpenWatch {
  path: string;
  wants(object: ApiObject): boolean;
  response: ServerResponse;
}

/**
 * A Kubernetes API server in small: collections, resource versions, lists and watches that send what happened after the
 * version asked for, until that has been compacted away. Source: Kubernetes, "API concepts".
 */
export class FakeKubernetes {
  readonly requests: ApiRequest[] = [];
  /** Connections open now. */
  readonly sockets: Set<Socket> = new Set();
  /** Refusals to come, by verb; the first one is used up by each request. */
  readonly refusals: Record<'list' | 'watch', Refusal[]> = { list: [], watch: [] };
  /** How a watch from a version that is forgotten is told so. */
  goneAs: 'status' | 'event' = 'status';
  /** Answers nothing any more. */
  silent = false;
  readonly #objects = new Map<string, Map<string, ApiObject>>();
  readonly #log: LoggedEvent[] = [];
  readonly #watches = new Set<OpenWatch>();
  readonly #server = createServer((request, response) => this.#answer(request, response));
  #version = 100;
  #oldest = 0;

  static async start(): Promise<FakeKubernetes> {
    const api = new FakeKubernetes();
    api.#server.on('connection', socket => {
      api.sockets.add(socket);
      socket.on('close', () => api.sockets.delete(socket));
    });
    api.#server.listen(0, '127.0.0.1');
    await once(api.#server, 'listening');
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The newest resource version. */
  get version(): string {
    return String(this.#version);
  }

  get watches(): number {
    return this.#watches.size;
  }

  put(path: string, object: ApiObject): void {
    const known = this.#objects.get(path) ?? new Map<string, ApiObject>();
    this.#objects.set(path, known);
    const { name } = object.metadata;
    const type = known.has(name) ? 'MODIFIED' : 'ADDED';
    known.set(name, this.#happened(type, path, object));
  }

  remove(path: string, name: string): void {
    const object = this.#objects.get(path)?.get(name);
    this.#objects.get(path)?.delete(name);
    if (object) this.#happened('DELETED', path, object);
  }

  /** Tells all watches how far the world has come, which other objects have moved on. */
  bookmark(): void {
    this.#version += 10;
    for (const { response } of this.#watches)
      this.write(response, 'BOOKMARK', { metadata: { resourceVersion: this.version } });
  }

  /** Sends an ERROR event to all watches, and ends them. */
  fail(code: number, message = ''): void {
    for (const { response } of this.#watches) {
      this.write(response, 'ERROR', { kind: 'Status', status: 'Failure', code, message });
      response.end();
    }
  }

  /** Ends all watches: as they end in time, or by breaking their connections, with half an event on the line. */
  endWatches(how: 'in time' | 'broken'): void {
    for (const { response } of this.#watches) {
      if (how === 'in time') response.end();
      else response.write('{"type":"ADDED","object":{"metadata":{', () => response.destroy());
    }
  }

  /** Forgets everything before now. */
  compact(): void {
    this.#oldest = ++this.#version;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #happened(type: string, path: string, object: ApiObject): ApiObject {
    this.#version++;
    const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: this.version } };
    this.#log.push({ type, path, version: this.#version, object: stamped });
    for (const watch of this.#watches) {
      if (watch.path === path && watch.wants(stamped)) this.write(watch.response, type, stamped);
    }
    return stamped;
  }

  /** An event, in two chunks, as the network may cut it. */
  write(response: ServerResponse, type: string, object: object): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    response.write(line.slice(0, 20));
    response.write(line.slice(20));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', this.url);
    const query = Object.fromEntries(searchParams);
    const verb = query['watch'] === 'true' ? 'watch' : 'list';
    const { method = '', headers } = request;
    this.requests.push({ method, path, verb, query, authorization: headers.authorization });
    const refusal = this.refusals[verb].shift();
    const wants = selected(query);
    if (this.silent) return;
    if (refusal) this.#refuse(response, refusal);
    else if (verb === 'watch') this.#watch(response, path, wants, Number(query['resourceVersion']));
    else this.#list(response, path, wants);
  }

  #list(response: ServerResponse, path: string, wants: OpenWatch['wants']): void {
    const items = [...(this.#objects.get(path)?.values() ?? [])].filter(wants);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ kind: 'List', metadata: { resourceVersion: this.version }, items }));
  }

  #watch(response: ServerResponse, path: string, wants: OpenWatch['wants'], since: number): void {
    const gone = since < this.#oldest ? `too old resource version: ${since} (${this.#oldest})` : undefined;
    if (gone && this.goneAs === 'status') {
      this.#refuse(response, { status: 410, message: gone });
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watch = { path, wants, response };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    if (gone) this.fail(410, gone);
    for (const event of this.#log) {
      if (!gone && event.path === path && event.version > since && wants(event.object))
        this.write(response, event.type, event.object);
    }
  }

  #refuse(response: ServerResponse, { status, message, headers }: Refusal): void {
    if (status === 0) {
      response.destroy();
      return;
    }
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code: status, message }));
  }
}

function selected({ fieldSelector, labelSelector }: Record<string, string>): OpenWatch['wants'] {
  const [, name] = fieldSelector?.split('metadata.name=') ?? [];
  const [label = '', value] = labelSelector?.split('=') ?? [];
  return ({ metadata }) =>
    (name === undefined || metadata.name === name) &&
    (value === undefined || metadata.labels?.[label] === value);
}
