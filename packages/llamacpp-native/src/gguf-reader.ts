import type { FileHandle } from 'node:fs/promises';

/** Read at once: most headers are a few megabytes, nearly all of it vocabulary. */
const CHUNK_BYTES = 256 * 1024;

/** What a file says of itself cannot be true. The message completes "the file …". */
export class BrokenGguf extends Error {}

/**
 * Reads a file from its beginning, a piece at a time. Every length it is told is checked against what there is
 * before a byte is set aside, so a file that lies about its lengths costs nothing.
 */
export class GgufReader {
  readonly #file: FileHandle;
  readonly #limit: number;
  #buffer: Buffer = Buffer.alloc(0);
  /** In the buffer. */
  #at = 0;
  /** In the file, of the buffer's end. */
  #end = 0;

  /** @param limit bytes that may be read */
  constructor(file: FileHandle, limit: number) {
    this.#file = file;
    this.#limit = limit;
  }

  async u32(): Promise<number> {
    return (await this.take(4)).readUInt32LE();
  }

  /** Counts and lengths. One that no double holds cannot be true either. */
  async u64(): Promise<number> {
    const value = Number((await this.take(8)).readBigUInt64LE());
    if (!Number.isSafeInteger(value)) throw new BrokenGguf(`has a length of ${value}`);
    return value;
  }

  /** The next bytes; valid until the next call. */
  async take(count: number): Promise<Buffer> {
    this.#check(count);
    if (this.#buffer.length - this.#at < count) await this.#fill(count);
    const bytes = this.#buffer.subarray(this.#at, this.#at + count);
    this.#at += count;
    return bytes;
  }

  skip(count: number): void {
    this.#check(count);
    const inBuffer = Math.min(count, this.#buffer.length - this.#at);
    this.#at += inBuffer;
    this.#end += count - inBuffer;
  }

  #check(count: number): void {
    const left = this.#limit - (this.#end - (this.#buffer.length - this.#at));
    if (count > left) throw new BrokenGguf(`ends where ${count} more bytes should come`);
  }

  /** What is left in the buffer stays in front. */
  async #fill(count: number): Promise<void> {
    const rest = this.#buffer.subarray(this.#at);
    const wanted = Math.min(Math.max(CHUNK_BYTES, count), this.#limit - this.#end + rest.length);
    const buffer = Buffer.alloc(wanted);
    rest.copy(buffer);
    let filled = rest.length;
    while (filled < count) {
      const { bytesRead } = await this.#file.read(buffer, filled, wanted - filled, this.#end);
      if (bytesRead === 0) throw new BrokenGguf('became shorter while it was read');
      filled += bytesRead;
      this.#end += bytesRead;
    }
    this.#buffer = buffer.subarray(0, filled);
    this.#at = 0;
  }
}
