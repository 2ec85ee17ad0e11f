import { createHash } from 'node:crypto';
import { AirframeError } from '@x/airframe';
import type { Logger } from '../logger.ts';
import { Flight } from './flight.ts';
import type { Answered, CacheOutcome, Piece, Seam } from './response.ts';

/** Where answers are kept: values are text, and go by themselves after their time. */
export interface CacheStore {
  get(key: string): Promise<string | undefined>;
  /** @param ttlMs milliseconds until the value is gone */
  set(key: string, value: string, ttlMs: number): Promise<void>;
}

export interface ResponseCacheOptions {
  /** Milliseconds an answer is good for. */
  ttlMs: number;
  /** Default: this process's memory, the newest 1,000 answers. */
  store?: CacheStore;
}

/** An answer as it is kept, with the pieces it came in. */
interface Kept {
  answered: Answered;
  pieces: string[];
  costUsd: number;
}

/** What an answer through the cache has come to. */
export interface CachedAnswer {
  answered: Answered;
  outcome: CacheOutcome;
  /** USD that it cost when it was made; 0 for a miss. */
  savedUsd: number;
}

/** How an answer is made when the cache has none: what it yields goes out as it comes. */
export type Live = () => AsyncGenerator<Piece, { answered: Answered; costUsd: number }, undefined>;

/** Ends by which an answer is whole. */
const WHOLE: ReadonlySet<string> = new Set(['stop', 'tool_calls']);

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
   * @param asked all that decides about the answer, as data
   * @param signal ends the wait for another call's answer
   */
  async *through(
    asked: unknown,
    live: Live,
    signal: AbortSignal,
  ): AsyncGenerator<Piece, CachedAnswer, undefined> {
    const key = keyOf(asked);
    const flight = this.#flights.get(key);
    if (flight) return yield* this.#shared(flight, key, live, signal);
    // Before anything is awaited, so that the next one finds it.
    const own = new Flight();
    this.#flights.set(key, own);
    try {
      const kept = await this.#find(key);
      if (!kept) return yield* this.#made(key, live, own, signal);
      const pieces = kept.pieces.map((text, at) => pieceOf(kept.answered, text, at + 1));
      for (const piece of pieces) own.push(piece);
      own.land(kept.answered, kept.costUsd);
      yield* pieces;
      return { answered: kept.answered, outcome: 'hit', savedUsd: kept.costUsd };
    } finally {
      own.close();
      if (this.#flights.get(key) === own) this.#flights.delete(key);
    }
  }

  async *#shared(flight: Flight, key: string, live: Live, signal: AbortSignal) {
    const landed = yield* flight.follow(signal);
    if (landed) return { ...landed, outcome: 'shared' as const };
    // The other call has ended without an answer, for reasons that may be its own. From here on each is by itself.
    return yield* this.#made(key, live, new Flight(), signal, flight.lastPiece);
  }

  /** @param broken last piece of an answer that this one takes the place of */
  async *#made(
    key: string,
    live: Live,
    flight: Flight,
    signal: AbortSignal,
    broken?: Piece,
  ): AsyncGenerator<Piece, CachedAnswer, undefined> {
    // Not at the pace of the one who asked first: the others must not wait for a slow reader.
    const flown = this.#fly(key, live(), flight);
    const pieces = flight.follow(signal);
    try {
      for (let lost = broken; ; ) {
        const step = await pieces.next();
        if (step.done) {
          await flown;
          if (!step.value) throw flight.error;
          return { answered: step.value.answered, outcome: 'miss', savedUsd: 0 };
        }
        if (lost) yield restartOf(lost, step.value);
        lost = undefined;
        yield step.value;
      }
    } finally {
      // Whoever leaves has ended the call: this waits for its last account.
      await flown;
    }
  }

  /** Never rejects: what goes wrong is the flight's to tell. */
  async #fly(key: string, source: ReturnType<Live>, flight: Flight): Promise<void> {
    let pieces: string[] = [];
    try {
      for (;;) {
        const step = await source.next();
        if (step.done) {
          const { answered, costUsd } = step.value;
          if (WHOLE.has(answered.finishReason)) await this.#keep(key, { answered, pieces, costUsd });
          flight.land(answered, costUsd);
          return;
        }
        const piece = step.value;
        if (piece.seam?.policy === 'restart') pieces = [];
        else if (piece.text) pieces.push(piece.text);
        flight.push(piece);
      }
    } catch (error) {
      flight.close(error);
    }
  }

  async #find(key: string): Promise<Kept | undefined> {
    try {
      const text = await this.#store.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as Kept);
    } catch (error) {
      this.#logger.debug('the response cache could not be read', { error: String(error) });
      return undefined;
    }
  }

  async #keep(key: string, kept: Kept): Promise<void> {
    try {
      await this.#store.set(key, JSON.stringify(kept), this.#ttlMs);
    } catch (error) {
      this.#logger.debug('the response cache could not be written', { error: String(error) });
    }
  }
}

/** Same for the same request, in whatever order its fields are written. */
function keyOf(asked: unknown): string {
  const canonical = JSON.stringify(asked, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return `response:${createHash('sha256').update(canonical).digest('base64url')}`;
}

function pieceOf({ provider, model }: Answered, text: string, tokens: number): Piece {
  return { text, provider, model, tokens };
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
