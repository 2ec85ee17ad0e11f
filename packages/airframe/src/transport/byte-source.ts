/** Who reads bytes: of each read one of the three is called, at once or later. */
export interface ByteTaker {
  bytes(chunk: Uint8Array): void;
  end(): void;
  fail(error: unknown): void;
}

/** Names what no other body has: many have a `read` of their own. */
export const readBytes: unique symbol = Symbol('readBytes');

/** A body that tells by a call, and not by a promise, which would cost more than the reading. */
export interface ByteSource {
  /** Never called while another read is open. */
  [readBytes](taker: ByteTaker): void;
  /** Ends the body, whatever of it is still to come. */
  return?(): Promise<unknown>;
}

/** A body as one that tells by a call. */
export function byteSourceOf(body: AsyncIterable<Uint8Array>): ByteSource {
  if (readBytes in body) return body as AsyncIterable<Uint8Array> & ByteSource;
  const iterator = body[Symbol.asyncIterator]();
  const source: ByteSource = { [readBytes]: taker => void read(iterator, taker) };
  if (iterator.return) source.return = async () => iterator.return?.();
  return source;
}

async function read(iterator: AsyncIterator<Uint8Array>, taker: ByteTaker): Promise<void> {
  let step: IteratorResult<Uint8Array>;
  try {
    step = await iterator.next();
  } catch (error) {
    taker.fail(error ?? new Error('no reason given'));
    return;
  }
  if (step.done) taker.end();
  else taker.bytes(step.value);
}
