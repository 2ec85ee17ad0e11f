import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { seen as tell } from './seen.ts';

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  /** Parsed JSON, or the text when it is none. */
  body: unknown;
  /** True once the client has closed the connection before the answer was whole. */
  closedEarly: boolean;
}

/** Answers one request, however badly. */
export type Script = (response: ServerResponse, seen: SeenRequest) => void | Promise<void>;

export interface ScriptedServer {
  url: string;
  seen: SeenRequest[];
  /** Connections open now. */
  sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
}

/**
 * A real HTTP server on a free loopback port that answers by script: the n-th request gets the n-th script, and the
 * last script serves all that follow.
 */
export async function scriptedServer(...scripts: Script[]): Promise<ScriptedServer> {
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const entry: SeenRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: parsed(Buffer.concat(chunks).toString('utf8')),
      closedEarly: false,
    };
    response.on('close', () => {
      entry.closedEarly = !response.writableFinished;
      if (entry.closedEarly) tell({ of: 'upstream closed', at: performance.now() });
    });
    seen.push(entry);
    tell({ of: 'upstream asked', method: entry.method });
    const script = scripts[seen.length - 1] ?? scripts.at(-1);
    await script?.(response, entry);
  });
  server.on('connection', socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    sockets,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An event stream of these payloads; objects are sent as JSON. Ends the response unless told not to. */
export function sse(payloads: (object | string)[], options: { end?: boolean } = {}): Script {
  return response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const payload of payloads) {
      response.write(`data: ${typeof payload === 'string' ? payload : JSON.stringify(payload)}\n\n`);
    }
    if (options.end !== false) response.end();
  };
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Script {
  return response => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
