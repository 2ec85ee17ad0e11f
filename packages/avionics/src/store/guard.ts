import { AirframeError } from '@x/airframe';
import type { Logger } from '../logger.ts';
import { STORE_DOWN, STORE_FAILED } from './store.ts';

export interface GuardOptions {
  /** Whom it stands before, for logs and errors, e.g. `Redis at 127.0.0.1:6379`. */
  name: string;
  /** What to do when it is away; without a full stop. */
  remedy: string;
  /** Longest a call may take, in milliseconds. */
  timeoutMs: number;
  /** Milliseconds between two probes while it is down. */
  probeMs: number;
  /** Tries whether it works again; must do what calls do, so that what fails them fails the probe. */
  probe: () => Promise<unknown>;
  /** A failure in words fit for a log. */
  reasonOf: (cause: unknown) => string;
  /** Called when it works again. */
  onUp: () => void;
  logger: Logger;
}

/**
 * Stands before something remote and keeps its troubles from the callers. The first call that fails or takes too long
 * closes the door: calls are refused at once, at no cost, while one probe at a time tries the other side. When one
 * passes, the door opens again. Each change is one line in the log.
 */
export class Guard {
  readonly #options: GuardOptions;
  /** Counts the changes: an even number is up. What began before a change says nothing about the time after it. */
  #era = 0;
  #reason = '';
  #downSince = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  get up(): boolean {
    return this.#era % 2 === 0;
  }

  /**
   * Carries a call out within the time limit.
   * @param timeoutMs another limit than that of all calls
   * @throws AirframeError (overloaded) of code {@link STORE_DOWN} or {@link STORE_FAILED}
   */
  async run<Result>(call: () => Promise<Result>, timeoutMs?: number): Promise<Result> {
    if (!this.up || this.#closed) throw this.#error(STORE_DOWN);
    const era = this.#era;
    try {
      return await this.#bounded(call, timeoutMs);
    } catch (cause) {
      if (era === this.#era && !this.#closed) this.#fail(cause);
      throw this.#error(STORE_FAILED);
    }
  }

  /** Ends the probing. Calls are refused from now on. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #bounded<Result>(call: () => Promise<Result>, timeoutMs = this.#options.timeoutMs): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const late = () => reject(new Error(`no answer within ${timeoutMs} ms`));
      // An answer that came while this process was busy lies in the socket still: one look there before giving up.
      const timer = setTimeout(() => setImmediate(late), timeoutMs);
      call()
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }

  #fail(cause: unknown): void {
    const { name, reasonOf, logger } = this.#options;
    this.#era++;
    this.#downSince = performance.now();
    this.#reason = reasonOf(cause);
    logger.warn(`${name} is down: ${this.#reason}`, { state: 'down' });
    this.#probeLater();
  }

  #probeLater(): void {
    this.#timer = setTimeout(() => void this.#probe(), this.#options.probeMs).unref();
  }

  async #probe(): Promise<void> {
    const { probe, reasonOf } = this.#options;
    try {
      await this.#bounded(probe);
    } catch (cause) {
      this.#reason = reasonOf(cause);
      if (!this.#closed) this.#probeLater();
      return;
    }
    if (!this.#closed) this.#recover();
  }

  #recover(): void {
    const { name, logger, onUp } = this.#options;
    this.#era++;
    const downMs = Math.round(performance.now() - this.#downSince);
    logger.info(`${name} is back after ${downMs} ms`, { state: 'up', downMs });
    onUp();
  }

  #error(code: string): AirframeError {
    const { name, remedy, probeMs } = this.#options;
    const text = this.#closed ? `the connection to ${name} is closed` : `${name} is down: ${this.#reason}`;
    return new AirframeError('overloaded', text, { code, remedy, retryAfterMs: probeMs });
  }
}
