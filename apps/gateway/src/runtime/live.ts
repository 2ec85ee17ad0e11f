import type { Config } from '../config/schema.ts';
import type { Runtime, RuntimeMaker } from './runtime.ts';

interface Generation {
  runtime: Runtime;
  release(): Promise<void>;
  calls: number;
  isOld: boolean;
}

/** The runtime of now. Calls keep the one they began with; an old one is closed behind its last call. */
export class LiveRuntime {
  readonly #maker: RuntimeMaker;
  #now: Generation;
  #swapping: Promise<unknown> = Promise.resolve();

  private constructor(maker: RuntimeMaker, first: Generation) {
    this.#maker = maker;
    this.#now = first;
  }

  /** @throws AirframeError or SettingsError naming what is wrong with the configuration */
  static async start(maker: RuntimeMaker, config: Config): Promise<LiveRuntime> {
    return new LiveRuntime(maker, { ...(await maker.make(config)), calls: 0, isOld: false });
  }

  get current(): Runtime {
    return this.#now.runtime;
  }

  /** The runtime of now for one call. `leave` is to be called once, when the call is over. */
  enter(): { runtime: Runtime; leave(): void } {
    const generation = this.#now;
    generation.calls++;
    let over = false;
    return {
      runtime: generation.runtime,
      leave: () => {
        if (over) return;
        over = true;
        generation.calls--;
        if (generation.isOld && generation.calls === 0) void generation.release();
      },
    };
  }

  /**
   * Puts another configuration in the place of the one of now, for calls from then on.
   * @throws AirframeError or SettingsError when it cannot be used; all stays as it was then
   */
  async swap(config: Config): Promise<void> {
    const swapped = this.#swapping.then(async () => {
      const next = await this.#maker.make(config);
      const old = this.#now;
      this.#now = { ...next, calls: 0, isOld: false };
      old.isOld = true;
      if (old.calls === 0) await old.release();
    });
    this.#swapping = swapped.catch(() => {});
    await swapped;
  }

  async close(): Promise<void> {
    await this.#swapping;
    this.#now.isOld = true;
    await this.#now.release();
  }
}
