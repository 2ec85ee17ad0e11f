import type { GatewayCall } from './call.ts';
import type { CallProgress, StreamingChunk } from './response.ts';

/** The chunks of a stream. `return()` (a `break` in `for await`) stops the backend. */
export interface CompletionStream extends AsyncIterableIterator<StreamingChunk, undefined, undefined> {
  /** The stream itself: it can be read once. */
  [Symbol.asyncIterator](): CompletionStream;
  /**
   * The chunk that `next()` would give at once; undefined: it would have to wait, or has to tell the end. For those
   * who pass a stream on, and would pay for a promise with every piece that lies there already.
   */
  poll(): StreamingChunk | undefined;
  /** What is known of the call so far, also after it has failed or was left. undefined before the first `next()`. */
  progress(): CallProgress | undefined;
}

/** The chunks of one call, which is made with the first `next()`. */
export class ChunkStream implements CompletionStream {
  readonly #make: () => GatewayCall;
  #call: GatewayCall | undefined;

  constructor(make: () => GatewayCall) {
    this.#make = make;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  poll(): StreamingChunk | undefined {
    return this.#call?.poll();
  }

  progress(): CallProgress | undefined {
    return this.#call?.progress();
  }

  next(): Promise<IteratorResult<StreamingChunk, undefined>> {
    this.#call ??= this.#make();
    return this.#call.next();
  }

  return(): Promise<IteratorResult<StreamingChunk, undefined>> {
    this.#call ??= this.#make();
    return this.#call.return();
  }
}
