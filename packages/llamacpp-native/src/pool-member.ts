import { AirframeError, type HealthState } from '@x/airframe';
import {
  type Holder,
  type ModelKey,
  type ModelPool,
  nameOf,
  type Poolable,
  type PoolEntry,
} from './model-pool.ts';
import { Interrupt } from './turns.ts';

export interface MemberOptions {
  /** Models to keep at most; those in use are never given up for it. Default: no limit. */
  maxLoaded?: number | undefined;
  /** How much of a model is loaded, 0 to 1. */
  onProgress?: ((fraction: number, path: string) => void) | undefined;
  /** Told each thing once. */
  onWarning(message: string): void;
}

export interface UseOptions {
  /** Gives up waiting; and the load, when nobody else waits for it. */
  signal: AbortSignal;
  /** How long the model is kept after its last use, in milliseconds; 0 or absent: until the member is closed. */
  idleUnloadMs?: number | undefined;
}

/** A model in use. */
export interface Use<M> {
  readonly model: M;
  /** Says that it is used no longer. */
  done(): void;
}

/** What a member has of a model. */
interface Hold<M> {
  readonly name: string;
  readonly entry: PoolEntry<M>;
  /** Calls that wait for it or work with it. */
  uses: number;
  timer?: NodeJS.Timeout;
  /** Let go of. */
  gone: boolean;
  /** Ends the wait of `close` for this hold. */
  over(freed: Promise<void>): void;
}

/** One user of a pool, such as an adapter: keeps what it has used, until it is idle, in the way, or all is over. */
export class PoolMember<M extends Poolable> implements Holder {
  readonly #pool: ModelPool<M>;
  readonly #options: MemberOptions;
  readonly #maxLoaded: number;
  /** In the order of their last call: the first is the one to go. */
  readonly #holds = new Map<string, Hold<M>>();
  /** Those that have been let go, but are not freed yet, too. */
  readonly #notOver = new Set<Promise<void>>();
  readonly #failures = new Map<string, AirframeError>();
  readonly #said = new Set<string>();
  #closed: AirframeError | undefined;

  constructor(pool: ModelPool<M>, options: MemberOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#maxLoaded = options.maxLoaded ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Waits for a model, which is loaded if nobody has loaded it yet.
   * @throws the signal's reason, the load's error, or that the member is closed
   */
  async use(key: ModelKey, { signal, idleUnloadMs = 0 }: UseOptions): Promise<Use<M>> {
    signal.throwIfAborted();
    if (this.#closed) throw this.#closed;
    const hold = this.#hold(key);
    const interrupt = new Interrupt(signal);
    let used = false;
    const done = () => {
      if (!used) this.#done(hold, idleUnloadMs);
      used = true;
    };
    try {
      return { model: await interrupt.wait(hold.entry.loaded), done };
    } catch (error) {
      if (!signal.aborted) this.#failures.set(hold.name, AirframeError.from(error));
      done();
      throw error;
    } finally {
      interrupt.dispose();
    }
  }

  /**
   * `unknown`: nobody in the process has it, and the next call loads it.
   * @throws AirframeError the last load's, if that failed
   */
  state(key: ModelKey): HealthState {
    const state = this.#pool.state(key);
    const failure = this.#failures.get(nameOf(key));
    if (failure && state === 'unknown') throw failure;
    return state;
  }

  /** Waits for the calls under way, then lets go of everything. Later calls fail with the reason. */
  async close(reason: AirframeError): Promise<void> {
    this.#closed = reason;
    for (const hold of this.#holds.values()) if (hold.uses === 0) this.#drop(hold);
    await Promise.all(this.#notOver);
  }

  onProgress(fraction: number, path: string): void {
    this.#options.onProgress?.(fraction, path);
  }

  onWarning(message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.#options.onWarning(message);
  }

  #hold(key: ModelKey): Hold<M> {
    const name = nameOf(key);
    this.#failures.delete(name);
    let hold = this.#holds.get(name);
    if (hold === undefined || hold.entry.state === 'failed') {
      this.#makeRoom();
      hold = this.#newHold(name, this.#pool.hold(key, this));
    }
    clearTimeout(hold.timer);
    hold.uses++;
    this.#holds.delete(name);
    this.#holds.set(name, hold);
    return hold;
  }

  #newHold(name: string, entry: PoolEntry<M>): Hold<M> {
    const hold: Hold<M> = { name, entry, uses: 0, gone: false, over: () => {} };
    const over: Promise<void> = new Promise<void>(resolve => {
      hold.over = resolve;
    })
      .catch(error => this.onWarning(`a model could not be unloaded: ${AirframeError.from(error).message}`))
      .finally(() => this.#notOver.delete(over));
    this.#notOver.add(over);
    return hold;
  }

  #done(hold: Hold<M>, idleUnloadMs: number): void {
    hold.uses--;
    if (hold.uses > 0) return;
    if (this.#closed || hold.entry.state !== 'healthy' || this.#isInTheWay(hold)) this.#drop(hold);
    // Nobody waits for the timer: it must not keep the process alive.
    else if (idleUnloadMs > 0) hold.timer = setTimeout(() => this.#drop(hold), idleUnloadMs).unref();
  }

  /** Lets go of what has been idle longest, so that one more has room. */
  #makeRoom(): void {
    for (const hold of this.#holds.values()) {
      if (this.#holds.size < this.#maxLoaded) return;
      if (hold.uses === 0) this.#drop(hold);
    }
  }

  /** It was in use when others needed its room. */
  #isInTheWay(hold: Hold<M>): boolean {
    const tooMany = Math.max(0, this.#holds.size - this.#maxLoaded);
    return [...this.#holds.values()].slice(0, tooMany).includes(hold);
  }

  #drop(hold: Hold<M>): void {
    if (hold.gone) return;
    hold.gone = true;
    clearTimeout(hold.timer);
    if (this.#holds.get(hold.name) === hold) this.#holds.delete(hold.name);
    hold.over(this.#pool.release(hold.entry, this));
  }
}
