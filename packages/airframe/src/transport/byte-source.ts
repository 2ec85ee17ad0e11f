/** Who reads bytes: of each read one of the three is called, at once or later. */
export interface ByteTaker {
  bytes(chunk: Uint8Array): void;
  end(): void;
  fail(error: unknown): void;
}

/** A body that tells by a call, and not by a promise, which would cost more than the reading. */
export interface ByteSource {
  /** Never called while another read is open. */
  read(taker: ByteTaker): void;
  /** Ends the body, whatever of it is still to come. */
  return?(): Promise<unknown>;
}

/** A body as one that tells by a call. */
export function byteSourceOf(body: AsyncIterable<Uint8Array>): ByteSource {
  if ('read' in body && typeof body.read === 'function')
    return body as AsyncIterable<Uint8Array> & ByteSource;
  const iterator = body[Symbol.asyncIterator]();
  const source: ByteSource = {
    read: taker => {
      iterator.next().then(
        ({ done, value }) => (done ? taker.end() : taker.bytes(value)),
        error => taker.fail(error),
      );
    },
  };
  if (iterator.return) source.return = async () => iterator.return?.();
  return source;
}
