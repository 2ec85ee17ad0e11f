// Clients that read slowly, or not at all, and an upstream that has more to say than anybody can hold.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { KEY } from '../running-gateway.ts';
import { rawPost } from './client.ts';
import { upstream } from './upstream.ts';

const MIB = 1024 * 1024;

/** What the system may hold of an answer in the buffers of two connections, and some more; in bytes. */
export const IN_BUFFERS: number = 40 * MIB;

/** An upstream that says `piece` up to `limitBytes`, as fast as it is read. */
export function pouring(limitBytes = 200 * MIB, piece = 'x'.repeat(16 * 1024)) {
  const poured = { bytes: 0, waits: 0 };
  const script = upstream(async up => {
    const { response } = up;
    let wake = () => {};
    for (const event of ['drain', 'close']) response.on(event, () => wake());
    while (!response.destroyed && poured.bytes < limitBytes) {
      up.say(piece);
      poured.bytes += piece.length;
      if (!response.writableNeedDrain) continue;
      poured.waits++;
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    }
    if (!response.destroyed) up.finish().usage(12, 2).done();
  });
  return { script, poured };
}

export interface SlowClient {
  socket: Socket;
  /** Bytes read so far. */
  bytes(): number;
  /** What came last. */
  tail(): string;
  /** Reads the next bytes, at most as many as it was made for. */
  more(): void;
}

/** Sends a call, and then reads only when told to: so many bytes at a time. */
export async function slowClient(
  url: string,
  { path, body, bytesAtOnce = 1_024 }: { path: string; body: unknown; bytesAtOnce?: number },
): Promise<SlowClient> {
  const { hostname, port } = new URL(url);
  let bytes = 0;
  let tail = '';
  const socket = connect({
    host: hostname,
    port: Number(port),
    onread: {
      buffer: Buffer.alloc(bytesAtOnce),
      callback: (count, buffer) => {
        bytes += count;
        tail = (tail + Buffer.from(buffer.subarray(0, count)).toString('latin1')).slice(-4_096);
        return false;
      },
    },
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(rawPost(path, body, {}, KEY));
  return { socket, bytes: () => bytes, tail: () => tail, more: () => void socket.resume() };
}
