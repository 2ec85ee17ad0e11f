import { AirframeError } from '@x/airframe';
import type { Logger } from '../logger.ts';

/** Whom a store is asked for, as it stands in the log. */
export interface BestEffortOptions {
  /** What replicas share through it, e.g. `node slots`. */
  shares: string;
  /** What each replica does while it is away, as a clause. */
  meanwhile: string;
  logger: Logger;
}

/** Asks a store for what can be done without. Each time it goes away or comes back is one line in the log. */
export class BestEffort {
  readonly #options: BestEffortOptions;
  #away = false;

  constructor(options: BestEffortOptions) {
    this.#options = options;
  }

  /** Whether the last question was not answered. */
  get away(): boolean {
    return this.#away;
  }

  /** Never rejects. @returns undefined when the store did not answer */
  async ask<Result>(question: () => Promise<Result>): Promise<Result | undefined> {
    const { shares, meanwhile, logger } = this.#options;
    try {
      const result = await question();
      if (this.#away) logger.info(`the store that replicas share ${shares} through is back`);
      this.#away = false;
      return result;
    } catch (error) {
      if (!this.#away) {
        const fields = { error: AirframeError.from(error).message };
        logger.warn(`the store that replicas share ${shares} through is away; ${meanwhile}`, fields);
      }
      this.#away = true;
      return undefined;
    }
  }
}
