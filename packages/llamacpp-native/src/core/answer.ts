import type { HttpResponse } from '@x/airframe';

type Read = IteratorResult<Uint8Array, undefined>;

/** The answer to one request, as it comes: the addon pushes, the reader pulls. */
export class Answer implements AsyncIterableIterator<Uint8Array, undefined> {
  /** Settles when the answer begins. */
  readonly response: Promise<HttpResponse>;
  readonly #leave: () => void;
  #chunks: Uint8Array[] = [];
  #ended = false;
  #error: unknown;
  #begin!: (response: HttpResponse) => void;
  #refuse!: (error: unknown) => void;
  #waiting: { resolve: (read: Read) => void; reject: (error: unknown) => void } | undefined;

  /** @param leave called when the reader goes before the end */
  constructor(leave: () => void) {
    this.#leave = leave;
    this.response = new Promise((resolve, reject) => {
      this.#begin = resolve;
      this.#refuse = reject;
    });
    // Nobody may be waiting for it any more when it fails.
    this.response.catch(() => {});
  }

  begin(status: number, contentType: string): void {
    this.#begin({ status, headers: { 'content-type': contentType }, body: this });
  }

  push(chunk: Uint8Array): void {
    if (this.#ended || this.#error !== undefined) return;
    if (this.#waiting) this.#waiting.resolve({ done: false, value: chunk });
    else this.#chunks.push(chunk);
    this.#waiting = undefined;
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  /** What has come so far is still handed out. */
  fail(error: unknown): void {
    if (this.#ended || this.#error !== undefined) return;
    this.#error = error;
    this.#refuse(error);
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Read> {
    const chunk = this.#chunks.shift();
    if (chunk) return Promise.resolve({ done: false, value: chunk });
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<Read> {
    this.#chunks = [];
    if (!this.#ended) this.#leave();
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }
}
