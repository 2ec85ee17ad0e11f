import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { AirframeError } from '../errors.ts';

/** Undoes a coding whose first byte is given. */
type Decode = (first?: number) => Transform;

/** By content coding (RFC 9110, 8.4.1). */
const DECODERS = new Map<string, Decode>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['br', () => createBrotliDecompress()],
  // By the RFC in zlib's wrapping, whose first byte ends in 8; some servers leave the wrapping out.
  ['deflate', (first = 0) => (first % 16 === 8 ? createInflate() : createInflateRaw())],
]);

type Read = IteratorResult<Uint8Array, undefined>;

const END: Read = { done: true, value: undefined };

/**
 * A body as it was before somebody on the way compressed it, with gzip, deflate or br.
 *
 * As pull-based as the body itself: no more of it is read before all that came has been handed out, and what the
 * sender has flushed is handed out at once; of a piece with broken bytes nothing is. A body that is cut ends where it was cut: its reader knows whether that
 * was the end. `return()` closes the body. Reading throws what the body throws, and an AirframeError (parse) for
 * bytes that are not in the coding, or a coding that is not known.
 *
 * @param coding the value of `content-encoding`
 */
export function decoded(body: AsyncIterable<Uint8Array>, coding: string): AsyncIterable<Uint8Array> {
  const name = coding.trim().toLowerCase();
  return name === '' || name === 'identity' ? body : new DecodedBody(body[Symbol.asyncIterator](), name);
}

class DecodedBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #coding: string;
  #decoder: Transform | undefined;
  /** True from a write until all that it holds has come out. */
  #busy = false;
  #ended = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  constructor(source: AsyncIterator<Uint8Array>, coding: string) {
    this.#source = source;
    this.#coding = coding;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Read> {
    for (;;) {
      const value: Uint8Array | null | undefined = this.#decoder?.read();
      if (value) return { done: false, value };
      if (this.#error) throw await this.#closing(broken(this.#coding, this.#error));
      // Bytes behind the end of the coded ones mean nothing.
      if (this.#decoder?.readableEnded) await this.return();
      if (this.#ended) return END;
      if (this.#busy) {
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
      } else await this.#feed();
    }
  }

  async return(): Promise<Read> {
    this.#stop();
    await this.#source.return?.();
    return END;
  }

  async #feed(): Promise<void> {
    let step: IteratorResult<Uint8Array>;
    try {
      step = await this.#source.next();
    } catch (error) {
      this.#stop();
      throw error;
    }
    if (this.#ended || step.done) {
      this.#stop();
      return;
    }
    if (step.value.byteLength === 0) return;
    this.#decoder ??= await this.#open(step.value[0]);
    this.#busy = true;
    this.#decoder.write(step.value, () => {
      this.#busy = false;
      this.#wake();
    });
  }

  async #open(first: number | undefined): Promise<Transform> {
    const create = DECODERS.get(this.#coding);
    if (!create) throw await this.#closing(unknown(this.#coding));
    return create(first)
      .on('readable', () => this.#wake())
      .on('end', () => this.#wake())
      .on('error', error => {
        this.#error = error;
        this.#wake();
      });
  }

  /** Frees the decoder's memory, which lies outside the heap. */
  #stop(): void {
    this.#ended = true;
    this.#decoder?.destroy();
    this.#decoder = undefined;
    this.#error = undefined;
    this.#wake();
  }

  async #closing(error: AirframeError): Promise<AirframeError> {
    await this.return();
    return error;
  }
}

function broken(coding: string, cause: Error): AirframeError {
  const problem = `the answer is not in ${coding}, as its content-encoding says: ${cause.message}`;
  return new AirframeError('parse', problem, { remedy: 'look at the proxy in front of the backend', cause });
}

function unknown(coding: string): AirframeError {
  return new AirframeError('parse', `the answer has the content-encoding ${coding}, which cannot be read`, {
    remedy: 'have the proxy in front of the backend use gzip, deflate, br or none',
  });
}
