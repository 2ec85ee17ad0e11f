import type { ServerResponse } from 'node:http';

export interface SinkOptions {
  /** Longest a client may read nothing of what was sent, in milliseconds. */
  writeTimeoutMs: number;
  /** Silence after which a comment is sent, in milliseconds. */
  keepAliveMs: number;
}

/** What lies there already may be without end. */
const MAX_GATHERED_CHARS = 64 * 1024;

/** A comment of server-sent events: it says that the line is alive, and nothing else. */
const COMMENT = ': keep-alive\n\n';

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // nginx would collect a stream before it passes it on.
  'x-accel-buffering': 'no',
} as const;

/** An answer on its way to one client: whole, or as server-sent events at the client's pace and no faster. */
export class Sink {
  readonly #raw: ServerResponse;
  readonly #options: SinkOptions;
  #keepAlive: NodeJS.Timeout | undefined;
  /** What goes out at the end of this turn of the event loop. */
  #gathered = '';
  #flushing: NodeJS.Immediate | undefined;
  #ended = false;
  #full: Promise<void> | undefined;

  constructor(raw: ServerResponse, options: SinkOptions) {
    this.#raw = raw;
    this.#options = options;
    raw.on('timeout', () => raw.destroy());
  }

  get isOpen(): boolean {
    return this.#raw.headersSent;
  }

  /** The good end has been given; it may be on its way still. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /** An answer in one piece, as JSON. */
  send(status: number, headers: Record<string, string>, body: unknown): void {
    const text = JSON.stringify(body);
    this.#raw.writeHead(status, {
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
    });
    this.#endWith(text);
  }

  /** Begins a stream: the status is 200, and from here on errors can only be told in it. Headers go with the first text. */
  open(headers: Record<string, string>): void {
    this.#raw.writeHead(200, Object.assign(headers, STREAM_HEADERS));
  }

  /** Sends headers and a comment at once, for a client that has waited long. */
  openEarly(headers: Record<string, string>): void {
    this.open(headers);
    this.write(COMMENT);
    this.#flush();
  }

  /**
   * Text goes out when all that has arrived by now, for all calls, is read. A system call costs more than all else that is
   * done for a piece, and more yet where it wakes the one who reads: those of many calls in a row wake him once.
   * @returns what to wait for before more is written; undefined: nothing
   */
  write(text: string): Promise<void> | undefined {
    if (this.#raw.destroyed || this.#ended || (text === '' && this.#keepAlive)) return undefined;
    this.#gathered += text;
    if (this.#gathered.length >= MAX_GATHERED_CHARS) this.#flush();
    else this.#flushSoon();
    return this.#full;
  }

  #flushSoon(): void {
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    const text = this.#withGathered('');
    if (this.#raw.destroyed) return;
    if (this.#ended) {
      this.#raw.end(text);
      this.#limitUnread();
      return;
    }
    // Also where there is nothing to say yet: what comes may be silent for this client, as thinking is in some protocols.
    this.#keepAlive ??= setInterval(() => this.#comment(), this.#options.keepAliveMs).unref();
    if (text === '') return;
    this.#keepAlive.refresh();
    if (!this.#raw.write(text)) this.#full ??= this.#drained();
  }

  #comment(): void {
    // Behind what a client has not read yet it would only add to it.
    if (!this.#full) this.write(COMMENT);
  }

  /** The text that waits, with this behind it. */
  #withGathered(text: string): string {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    const all = this.#gathered + text;
    this.#gathered = '';
    return all;
  }

  /** The good end of an answer: the last text, and the end of the body. */
  end(text: string): void {
    clearInterval(this.#keepAlive);
    this.#endWith(text);
  }

  #endWith(text: string): void {
    if (this.#ended) return;
    this.#gathered += text;
    this.#ended = true;
    this.#flushSoon();
  }

  /**
   * The end of an answer that broke off. The body is left without its last chunk, so that nobody takes it for whole who
   * does not understand the text.
   */
  breakOff(text: string): void {
    clearInterval(this.#keepAlive);
    const { socket } = this.#raw;
    this.#raw.write(this.#withGathered(text));
    socket?.destroySoon();
    this.#limitUnread();
  }

  /** Gives up timers; the client has gone. */
  close(): void {
    clearInterval(this.#keepAlive);
    clearImmediate(this.#flushing);
  }

  /** Resolves when the client has caught up, is gone, or was cut off for not reading. */
  #drained(): Promise<void> {
    const raw = this.#raw;
    this.#limitUnread();
    return new Promise(resolve => {
      const done = () => {
        raw.off('drain', done);
        raw.off('close', done);
        if (!raw.destroyed) raw.setTimeout(0);
        this.#full = undefined;
        resolve();
      };
      raw.on('drain', done);
      raw.on('close', done);
    });
  }

  /** By the socket's own timer, which knows whether any of what it has to send is read. */
  #limitUnread(): void {
    const raw = this.#raw;
    const isRead = raw.writableFinished || (raw.writableEnded && raw.socket?.writableLength === 0);
    if (!isRead && !raw.destroyed) raw.setTimeout(this.#options.writeTimeoutMs);
  }
}
