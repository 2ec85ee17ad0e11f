import { AirframeError } from '@x/airframe';
import { GATEWAY_CODES } from '../protocols/status.ts';

/** Calls under way: of all, and of each key. */
export class InFlight {
  readonly #byKey = new Map<string, number>();
  #all = 0;
  #idle: (() => void)[] = [];

  get count(): number {
    return this.#all;
  }

  /**
   * Counts a call in.
   * @returns to be called once, when the call is over
   * @throws AirframeError (rate_limit) when there are too many
   */
  enter(key: { name: string; maxConcurrent?: number | undefined }, max: number): () => void {
    const own = this.#byKey.get(key.name) ?? 0;
    if (this.#all >= max) throw tooMany(`the gateway has ${max} calls under way`, 'server.maxConcurrent');
    if (key.maxConcurrent !== undefined && own >= key.maxConcurrent) {
      throw tooMany(`key ${key.name} has ${own} calls under way`, 'maxConcurrent of the key');
    }
    this.#all++;
    this.#byKey.set(key.name, own + 1);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#leave(key.name);
    };
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    if (this.#all === 0) return;
    await new Promise<void>(resolve => this.#idle.push(resolve));
  }

  #leave(name: string): void {
    this.#all--;
    const left = (this.#byKey.get(name) ?? 1) - 1;
    if (left > 0) this.#byKey.set(name, left);
    else this.#byKey.delete(name);
    if (this.#all > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function tooMany(problem: string, setting: string): AirframeError {
  return new AirframeError('rate_limit', problem, {
    code: GATEWAY_CODES.concurrency,
    retryAfterMs: 1_000,
    remedy: `wait for one to end, or raise ${setting}`,
  });
}
