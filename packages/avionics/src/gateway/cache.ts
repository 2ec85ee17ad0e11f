import { createHash } from 'node:crypto';
import { AirframeError } from '@x/airframe';
import type { Logger } from '../logger.ts';
import { until } from './clock.ts';
import { Flight } from './flight.ts';
import {
  type Answered,
  type CacheOutcome,
  type Piece,
  pieceOf,
  type Seam,
  type SilentOutput,
} from './response.ts';

/** Where answers are kept: values are text, and go by themselves after their time. */
export interface CacheStore {
  /** The value, while it is good. */
  get(key: string): Promise<string | undefined>;
  /**
   * Keeps a value.
   * @param ttlMs milliseconds until the value is gone
   */
  set(key: string, value: string, ttlMs: number): Promise<void>;
}

/** How long answers are kept, and where. */
export interface ResponseCacheOptions {
  /** Milliseconds an answer is good for. */
  ttlMs: number;
  /** Default: this process's memory, the newest 1,000 answers. */
  store?: CacheStore;
}

/** An answer as it is kept, with the pieces it came in. */
interface Kept {
  answered: Answered;
  /** Text, or output that is none. */
  pieces: (string | SilentOutput)[];
  costUsd: number;
}

/** What an answer through the cache has come to. */
export interface CachedAnswer {
  answered: Answered;
  outcome: CacheOutcome;
  /** USD that it cost when it was made; 0 for a miss. */
  savedUsd: number;
}

/** What is asked of the cache. */
export interface CacheQuery {
  /** All that decides about the answer, as data. */
  asked: unknown;
  /** Whether an answer that others asked for will do: what a schema checks does not all stand in its data. */
  fits(answered: Answered): boolean;
  /** Ends the wait for the store, and for another call's answer. */
  signal: AbortSignal;
  /** Told, ahead of the pieces, where they come from; again when those of another call break off. */
  onSource?(outcome: CacheOutcome): void;
}

/** How an answer is made when the cache has none: what it yields goes out as it comes. */
export type Live = () => AsyncGenerator<Piece, { answered: Answered; costUsd: number }, undefined>;

/** Ends by which an answer is whole. */
const WHOLE: ReadonlySet<string> = new Set(['stop', 'tool_calls']);

/** Ends of a call that are its caller's own. */
const OF_THE_CALLER: ReadonlySet<string | undefined> = new Set([
  'total_timeout',
  'resource_callback',
  'limit_reached',
]);

/** Answers of identical requests: kept for a while, and made once when several ask at the same time. */
export class ResponseCache {
  readonly #store: CacheStore;
  readonly #ttlMs: number;
  readonly #logger: Logger;
  readonly #flights = new Map<string, Flight>();

  /** @throws AirframeError (invalid_request) for a time to live that is none */
  constructor({ ttlMs, store = new MemoryCacheStore() }: ResponseCacheOptions, logger: Logger) {
    if (!(ttlMs > 0)) {
      throw new AirframeError('invalid_request', `the cache's ttlMs is ${ttlMs}; give milliseconds above 0`);
    }
    this.#store = store;
    this.#ttlMs = ttlMs;
    this.#logger = logger;
  }

  /**
   * The answer piece by piece: from the store, along with a call under way, or made now.
   * @throws the query's signal's reason when it fires
   */
  async *through(
    { asked, fits, signal, onSource = () => {} }: CacheQuery,
    live: Live,
  ): AsyncGenerator<Piece, CachedAnswer, undefined> {
    const key = keyOf(asked);
    let broken: Piece | undefined;
    for (let flight = this.#flights.get(key); flight; flight = this.#flights.get(key)) {
      onSource('shared');
      const landed = yield* behind(broken, flight.follow(signal));
      if (landed && fits(landed.answered)) return { ...landed, outcome: 'shared' };
      this.#leave(key, flight);
      broken = flight.lastPiece ?? broken;
      // Another one makes the answer then, for all who wait. One that failed, or does not fit, might do so again and
      // again: from here on each is by itself.
      const another = !landed && isOfCaller(flight.error);
      if (another) continue;
      onSource('miss');
      return yield* this.#made(key, live, new Flight(), signal, broken);
    }
    // Before anything is awaited, so that the next one finds it.
    const own = new Flight();
    this.#flights.set(key, own);
    try {
      const kept = await this.#find(key, signal);
      const isHit = kept !== undefined && fits(kept.answered);
      onSource(isHit ? 'hit' : 'miss');
      if (!isHit) return yield* this.#made(key, live, own, signal, broken);
      for (const [at, piece] of kept.pieces.entries()) {
        const output = typeof piece === 'string' ? { type: 'token' as const, text: piece } : piece;
        own.push(pieceOf(output, kept.answered, at + 1));
      }
      own.land(kept.answered, kept.costUsd);
      this.#leave(key, own);
      yield* behind(broken, own.follow(signal));
      return { answered: kept.answered, outcome: 'hit', savedUsd: kept.costUsd };
    } catch (error) {
      own.close(error);
      throw error;
    } finally {
      own.close();
      this.#leave(key, own);
    }
  }

  /** @param broken last piece of an answer that this one takes the place of */
  async *#made(
    key: string,
    live: Live,
    flight: Flight,
    signal: AbortSignal,
    broken?: Piece,
  ): AsyncGenerator<Piece, CachedAnswer, undefined> {
    // At the pace of the fastest who reads it, for the others must not wait for a slow reader.
    const flown = this.#fly(key, live(), flight);
    try {
      const landed = yield* behind(broken, flight.follow(signal));
      await flown;
      if (!landed) throw flight.error;
      return { answered: landed.answered, outcome: 'miss', savedUsd: 0 };
    } finally {
      // Whoever leaves has ended the call: this waits for its last account.
      flight.unpace();
      await flown;
    }
  }

  /** Never rejects: what goes wrong is the flight's to tell. */
  async #fly(key: string, source: ReturnType<Live>, flight: Flight): Promise<void> {
    let pieces: Kept['pieces'] = [];
    try {
      for (;;) {
        const step = await source.next();
        if (step.done) {
          const { answered, costUsd } = step.value;
          const keeping = WHOLE.has(answered.finishReason) && this.#keep(key, { answered, pieces, costUsd });
          flight.land(answered, costUsd);
          // Not awaited: an answer does not wait for a slow store. A reader who stops reading keeps nothing on its way.
          if (keeping) void keeping.then(() => this.#leave(key, flight));
          else this.#leave(key, flight);
          return;
        }
        const piece = step.value;
        if (piece.seam?.policy === 'restart') pieces = [];
        else if (piece.event) pieces.push(piece.event);
        else if (piece.text) pieces.push(piece.text);
        flight.push(piece);
        const room = flight.room();
        if (room) await room;
      }
    } catch (error) {
      flight.close(error);
    }
  }

  /** Nobody joins it any more. */
  #leave(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  async #find(key: string, signal: AbortSignal): Promise<Kept | undefined> {
    try {
      const text = await until(this.#store.get(key), signal);
      return text === undefined ? undefined : keptOf(text);
    } catch (error) {
      signal.throwIfAborted();
      this.#logger.debug('the response cache could not be read', { error: String(error) });
      return undefined;
    }
  }

  /** Never rejects. */
  async #keep(key: string, kept: Kept): Promise<void> {
    try {
      await this.#store.set(key, JSON.stringify(kept), this.#ttlMs);
    } catch (error) {
      this.#logger.debug('the response cache could not be written', { error: String(error) });
    }
  }
}

/** What a store gave, which others may write to as well. @throws when it is no answer */
function keptOf(text: string): Kept {
  const kept = JSON.parse(text) as Kept | null;
  if (typeof kept?.answered?.text === 'string' && Array.isArray(kept.pieces)) return kept;
  throw new Error('the value is no answer');
}

/** The caller has ended the call, or may not make it; nothing is said about the answer. */
function isOfCaller(error: unknown): boolean {
  const { category, code } = AirframeError.from(error);
  return category === 'aborted' || OF_THE_CALLER.has(code);
}

/** The pieces of an answer, behind a seam where they take the place of a broken one. */
async function* behind<End>(
  broken: Piece | undefined,
  pieces: AsyncGenerator<Piece, End, undefined>,
): AsyncGenerator<Piece, End, undefined> {
  if (broken) {
    const first = await pieces.next();
    if (first.done) return first.value;
    yield restartOf(broken, first.value);
    yield first.value;
  }
  return yield* pieces;
}

/** Same for the same request, in whatever order its fields are written. */
function keyOf(asked: unknown): string {
  const canonical = JSON.stringify(asked, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return `response:${createHash('sha256').update(canonical).digest('base64url')}`;
}

function restartOf({ provider: from }: Piece, { provider: to, model }: Piece): Piece {
  const message = 'the identical call that this one shared ended without an answer';
  const seam: Seam = { policy: 'restart', reason: 'failure', from, to, message };
  return { text: '', provider: to, model, tokens: 0, seam };
}

/** Newest answers in memory. */
export class MemoryCacheStore implements CacheStore {
  readonly #max: number;
  readonly #entries = new Map<string, { value: string; until: number }>();

  /** @param max answers kept at most */
  constructor(max = 1_000) {
    this.#max = max;
  }

  async get(key: string): Promise<string | undefined> {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    if (entry.until <= performance.now()) return undefined;
    this.#entries.set(key, entry);
    return entry.value;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: performance.now() + ttlMs });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#max && oldest !== undefined) this.#entries.delete(oldest);
  }
}
