import type { Socket } from 'node:net';
import { Agent, buildConnector } from 'undici';

/** The reader of a response, as far as its socket's end matters to it. */
export interface Reader {
  /** Takes what is still there, whether asked for or not. */
  resume(): void;
}

/** undici's connector gives back the socket it is connecting; its types do not say so. */
type Connect = (...args: Parameters<buildConnector.connector>) => Socket;

/**
 * undici's Agent with two things mended (undici 7.30):
 * - A socket that ends while its response is paused trips an assertion that nobody can catch, and the process dies
 *   (undici #5360). So a paused reader is woken before undici sees the end.
 * - A connection attempt outlives the request it was for, and keeps the process alive until the system gives up.
 *   So an attempt that nobody waits for any more is ended.
 */
export class SocketPool {
  readonly agent: Agent;
  readonly #readers = new WeakMap<Socket, Reader>();
  readonly #connecting = new Map<string, Set<Socket>>();
  readonly #waiting = new Map<string, number>();
  /** The socket whose data undici is reading right now. */
  #inTurn: Socket | undefined;

  constructor() {
    // No time limits of undici's own: ours decide.
    const base = buildConnector({ timeout: 0 }) as Connect;
    this.agent = new Agent({
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, callback) => {
        const origin = `${options.protocol}//${options.host ?? options.hostname}`;
        const attempts = this.#connecting.get(origin) ?? new Set();
        this.#connecting.set(origin, attempts);
        const socket = base(options, (...result) => {
          attempts.delete(socket);
          if (result[1]) this.#watch(result[1]);
          callback(...result);
        });
        attempts.add(socket);
      },
    });
  }

  /** A request begins to wait for a connection. */
  waits(origin: string): void {
    this.#waiting.set(origin, (this.#waiting.get(origin) ?? 0) + 1);
  }

  /** A request waits no longer: it got its connection, or gave up. */
  waitsNoMore(origin: string): void {
    const left = (this.#waiting.get(origin) ?? 1) - 1;
    if (left > 0) {
      this.#waiting.set(origin, left);
      return;
    }
    this.#waiting.delete(origin);
    // With an error, or undici would wait for this socket for ever.
    for (const socket of this.#connecting.get(origin) ?? [])
      socket.destroy(new Error('nobody waits any more'));
    this.#connecting.delete(origin);
  }

  /** Says who reads the response that has just begun. To be called from within undici's handler. */
  reads(reader: Reader): void {
    if (this.#inTurn) this.#readers.set(this.#inTurn, reader);
  }

  #watch(socket: Socket): void {
    // These listeners stand in front of undici's, which come with the callback.
    socket.on('readable', () => {
      this.#inTurn = socket;
    });
    socket.on('end', () => this.#readers.get(socket)?.resume());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // At this code undici finishes the parser, paused or not; a destroyed socket can no longer be resumed.
      if (error.code === 'ECONNRESET') error.code = 'UND_ERR_SOCKET';
    });
  }
}
