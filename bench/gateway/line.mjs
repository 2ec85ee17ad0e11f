// One HTTP/1.1 connection of the load generator, read by hand: a client of node:http or undici would take as much CPU
// time as the proxies that are measured.
import { once } from 'node:events';
import { connect } from 'node:net';

const HEAD_END = '\r\n\r\n';
const NOTHING = Buffer.alloc(0);

/**
 * Connects.
 * @returns `exchange(request, onPart)` sends the bytes of a request and resolves with `{ status }` at the end of the
 * response; `onPart` gets its body piece by piece, and takes them as they come. It rejects when the response is cut, or
 * not framed as HTTP says; then the line is lost.
 */
export async function openLine({ hostname, port }) {
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.setNoDelay(true);
  let current;
  const end = (error, result) => {
    const ending = current;
    current = undefined;
    if (error) ending?.reject(error);
    else ending?.resolve(result);
  };
  socket.on('data', bytes => {
    if (!current) return socket.destroy(new Error('bytes came after the end of a response'));
    try {
      const status = current.read(bytes);
      if (status !== undefined) end(undefined, { status });
    } catch (error) {
      end(error);
      socket.destroy();
    }
  });
  socket.on('error', error => end(error));
  socket.on('close', () => end(new Error('the connection closed before the end of the response')));
  return {
    exchange: (request, onPart) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error('the connection is closed'));
        current = { resolve, reject, read: responseReader(onPart) };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

/** @returns a function that takes bytes as they come, and gives the status when they were the last ones */
export function responseReader(onPart) {
  let [rest, status, body] = [NOTHING];
  return bytes => {
    let unread = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes;
    rest = NOTHING;
    if (!body) {
      const end = unread.indexOf(HEAD_END);
      if (end === -1) {
        rest = unread;
        return undefined;
      }
      const head = unread.latin1Slice(0, end);
      status = Number(head.slice(9, 12));
      body = bodyReader(head, onPart);
      unread = unread.subarray(end + HEAD_END.length);
    }
    const left = body(unread);
    if (left === undefined) return status;
    rest = left;
    return undefined;
  };
}

/** @returns a function that takes bytes and gives those it cannot read yet, or undefined after the last one */
function bodyReader(head, onPart) {
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return chunkedReader(onPart);
  const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  if (length === undefined) throw new Error(`the end of this response cannot be known: ${head}`);
  let missing = Number(length);
  return bytes => {
    if (bytes.length > missing) throw new Error(`${bytes.length - missing} bytes too many`);
    missing -= bytes.length;
    if (bytes.length > 0) onPart(bytes);
    return missing === 0 ? undefined : NOTHING;
  };
}

function chunkedReader(onPart) {
  /** Bytes of the chunk that are still to come, with the two that end it. */
  let missing = 0;
  return bytes => {
    let at = 0;
    while (at < bytes.length) {
      if (missing === 0) {
        const end = bytes.indexOf('\r\n', at);
        if (end === -1) return bytes.subarray(at);
        const size = Number.parseInt(bytes.latin1Slice(at, end), 16);
        if (Number.isNaN(size)) throw new Error(`no size of a chunk: ${bytes.latin1Slice(at, end)}`);
        if (size === 0) {
          if (bytes.length < end + 4) return bytes.subarray(at);
          if (bytes.length === end + 4) return undefined;
          throw new Error('bytes came after the last chunk');
        }
        at = end + 2;
        missing = size + 2;
        continue;
      }
      const until = Math.min(at + missing, bytes.length);
      const content = Math.min(at + Math.max(missing - 2, 0), bytes.length);
      if (content > at) onPart(bytes.subarray(at, content));
      missing -= until - at;
      at = until;
    }
    return NOTHING;
  };
}
