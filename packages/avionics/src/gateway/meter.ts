import { AirframeError } from '@x/airframe';
import type { Logger } from '../logger.ts';

/**
 * Told of tokens as they are used: what is new since the last time, so that all figures sum up to the usage.
 * `(0, 0)` asks before a call whether it may begin; during a stream each delta counts as one token; what was not
 * counted on the way, the prompt above all, comes at the end, and takes back (tokensOut below 0) what was counted
 * too much.
 *
 * @returns a reason to stop the caller: the call does not begin, or the stream ends. A reason given at the end of
 * a call changes nothing about its answer; the next call asks again.
 */
export type ResourceCallback = (tokensIn: number, tokensOut: number) => string | undefined;

const RESOURCE_CALLBACK = 'resource_callback';

/** True for a call that its caller has ended, by a signal, by leaving, or by the resource callback. */
export function isStopped(error: AirframeError | undefined): boolean {
  return error?.category === 'aborted' || error?.code === RESOURCE_CALLBACK;
}

/** Reports one call's tokens to the resource callback. */
export class Meter {
  readonly #callback: ResourceCallback | undefined;
  readonly #agentName: string;
  readonly #logger: Logger;
  #counted = 0;

  constructor(callback: ResourceCallback | undefined, agentName: string, logger: Logger) {
    this.#callback = callback;
    this.#agentName = agentName;
    this.#logger = logger;
  }

  /** Tokens that have come since the last {@link settle}. */
  get counted(): number {
    return this.#counted;
  }

  /** @throws AirframeError (quota) when the call may not begin */
  admit(): void {
    const reason = this.#report(0, 0);
    if (reason !== undefined) throw this.#error('may not call', reason);
  }

  /** One more token has come. Returns the error to end the stream with, if it has to end. */
  token(): AirframeError | undefined {
    this.#counted++;
    const reason = this.#report(0, 1);
    return reason === undefined ? undefined : this.#error('was stopped', reason);
  }

  /** A provider's part of the call is over: reports what {@link token} has not, or has too much. */
  settle(promptTokens: number, completionTokens: number): void {
    const rest = completionTokens - this.#counted;
    this.#counted = 0;
    if (promptTokens > 0 || rest !== 0) this.#report(promptTokens, rest);
  }

  #report(tokensIn: number, tokensOut: number): string | undefined {
    try {
      return this.#callback?.(tokensIn, tokensOut) || undefined;
    } catch (cause) {
      // A limit that cannot be checked is a limit reached.
      this.#logger.error('the resource callback failed', {
        agentName: this.#agentName,
        error: String(cause),
      });
      return `the resource callback failed: ${cause instanceof Error ? cause.message : String(cause)}`;
    }
  }

  #error(what: string, reason: string): AirframeError {
    const text = `agent ${JSON.stringify(this.#agentName)} ${what}: ${reason}`;
    return new AirframeError('quota', text, { code: RESOURCE_CALLBACK });
  }
}
