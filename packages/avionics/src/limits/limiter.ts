import { randomUUID } from 'node:crypto';
import { AirframeError } from '@x/airframe';
import { FailOpenStore } from '../store/fail-open.ts';
import { MemoryStore } from '../store/memory.ts';
import {
  isStoreError,
  type ReserveReply,
  type ReserveRequest,
  type Settlement,
  STORE_FAILED,
  type Store,
} from '../store/store.ts';
import { cancellationOf } from '../store/windows.ts';
import { rejectionOf } from './rejection.ts';
import { checkRules, type Limit, type LimitRule, limitsOf, type Unit } from './rules.ts';
import { Subjects } from './subjects.ts';
import { type LimitUsage, usageIn, usageOf } from './usage.ts';

/** Tokens and billionths of a US dollar; whole numbers from 0. */
export interface Amounts {
  tokens: number;
  nanoUsd: number;
}

/** A call that is about to be made, with what it is expected to use. */
export interface LimitedCall extends Amounts {
  agent?: string | undefined;
  keys?: readonly string[] | undefined;
  tags?: readonly string[] | undefined;
}

/** What a call may use. Of all its endings the first one counts. */
export interface Reservation {
  /** true: it is settled or released as soon as that is called. */
  readonly isLocal?: boolean;
  /** The limits it was taken from, as they stood then, with it among `reserved`. */
  readonly limits?: readonly LimitUsage[];
  /** The call is over and has used this, whether it went well or not. Rejects only for amounts that are none. */
  settle(actual: Amounts): Promise<void>;
  /** The call was never made. */
  release(): Promise<void>;
}

/** What {@link Limiter} takes. */
export interface LimiterOptions {
  rules: readonly LimitRule[];
  /** Default: one of this process's own. The caller closes it. */
  store?: Store;
  /**
   * What happens to calls while a shared store is away. `open` (default): they go on, each process counts for
   * itself, and all is booked when the store is back; see {@link FailOpenStore}. `closed`: they are refused.
   */
  whenStoreFails?: 'open' | 'closed';
  /**
   * After this many milliseconds a reservation that was never settled, its process having died, is given back;
   * until then it counts as spent. Should be longer than any call. Default 900,000, a quarter of an hour.
   */
  reservationMs?: number;
}

/** What a gateway needs of a limiter. */
export interface CallLimiter extends Pick<Limiter, 'reserve'> {
  readonly isLocal?: boolean;
  /** As {@link Limiter.reserveNow}; absent: it always has to be waited for. */
  reserveNow?(call: LimitedCall): Reservation | undefined;
}

const NOTHING: Reservation = { isLocal: true, settle: async () => {}, release: async () => {} };

/**
 * Keeps calls within budgets and rates. A call is let in while none of its limits is used up, counting what others
 * hold: whatever runs at once, no limit is passed by more than one call's reservation. A limit that a call expects
 * to use nothing of (US dollars of a local model) does not keep it back.
 */
export class Limiter {
  readonly #rules: readonly LimitRule[];
  readonly #store: Store;
  readonly #reservationMs: number;
  readonly #subjects: Subjects;

  /** true: its store is in this process, and answers at once. */
  readonly isLocal: boolean;

  /** @throws AirframeError (invalid_request) when a rule is wrong */
  constructor(options: LimiterOptions) {
    const { rules, store = new MemoryStore(), whenStoreFails = 'open', reservationMs = 900_000 } = options;
    this.#rules = checkRules(rules);
    this.#store =
      whenStoreFails === 'open' && !(store instanceof MemoryStore) ? new FailOpenStore(store) : store;
    this.#reservationMs = reservationMs;
    this.isLocal = this.#store instanceof MemoryStore;
    this.#subjects = new Subjects(this.#rules);
  }

  /**
   * Takes what the call is expected to use from all its limits, or from none. Without a limit for it no store is asked.
   * @throws AirframeError (rate_limit for windows up to a minute, else quota; code `limit_reached`) with
   * `retryAfterMs`; (overloaded) when the store is away and limits fail closed
   */
  async reserve(call: LimitedCall): Promise<Reservation> {
    const asked = this.#asked(call);
    return asked ? reservationOf(this.#store, asked, await this.#ask(asked.request)) : NOTHING;
  }

  /**
   * {@link reserve} without a wait.
   * @returns undefined: the store is not in this process, and has to be waited for
   */
  reserveNow(call: LimitedCall): Reservation | undefined {
    const store = this.#store;
    if (!(store instanceof MemoryStore)) return undefined;
    const asked = this.#asked(call);
    return asked ? reservationOf(store, asked, store.reserveNow(asked.request)) : NOTHING;
  }

  /**
   * All limits of rules with one subject, and of others for those agents, keys and tags that this process has seen
   * last (up to 1,000).
   * @throws AirframeError (overloaded) when the store is away and limits fail closed
   */
  async usage(): Promise<LimitUsage[]> {
    const limits = this.#subjects.limits();
    if (limits.length === 0) return [];
    const windows = await this.#store.usage(limits);
    return usageOf(limits, windows);
  }

  /** @returns undefined: there are no limits for it */
  #asked(call: LimitedCall): Asked | undefined {
    checkAmounts(call);
    const limits = this.#limitsFor(call);
    if (limits.length === 0) return undefined;
    const charges = limits.map(limit => chargeOf(limit, call));
    const id = this.isLocal ? idInProcess() : randomUUID();
    return { limits, request: { id, ttlMs: this.#reservationMs, charges } };
  }

  #limitsFor(call: LimitedCall): Limit[] {
    const limits: Limit[] = [];
    for (const rule of this.#rules) {
      for (const subject of subjectsOf(rule, call)) {
        if (rule.match !== undefined && rule.match !== subject) continue;
        this.#subjects.saw(rule, subject);
        limits.push(...limitsOf(rule, subject));
      }
    }
    return limits;
  }

  async #ask(request: ReserveRequest): Promise<ReserveReply> {
    try {
      return await this.#store.reserve(request);
    } catch (error) {
      if (!isStoreError(error)) throw error;
      // It may have been taken all the same, and nobody else would give it back.
      if (error.code === STORE_FAILED) await this.#store.settle(cancellationOf(request));
      throw new AirframeError(error.category, `limits cannot be checked: ${error.message}`, {
        ...error,
        remedy: "or let calls go on meanwhile, with whenStoreFails: 'open'",
      });
    }
  }
}

let made = 0;

/** Unique in this process, and so in a store of its own; costs less than one for all the world. */
function idInProcess(): string {
  made++;
  return `${made}`;
}

/** What a store is asked for, and for which limits. */
interface Asked {
  limits: readonly Limit[];
  request: ReserveRequest;
}

function chargeOf({ key, window, limit, unit }: Limit, amounts: Amounts): ReserveRequest['charges'][number] {
  return { key, window, limit, amount: amountOf(unit, amounts) };
}

/** @throws AirframeError when a limit is used up */
function reservationOf(store: Store, { limits, request }: Asked, reply: ReserveReply): Reservation {
  if (reply.granted) return new StoredReservation(store, request, limits, reply);
  throw rejectionOf(
    limits,
    request.charges.map(({ amount }) => amount),
    reply,
  );
}

/** What one call has taken from a store. */
class StoredReservation implements Reservation {
  readonly #store: Store;
  readonly #request: ReserveRequest;
  readonly #limits: readonly Limit[];
  readonly #windows: ReserveReply['windows'];
  #over = false;

  constructor(store: Store, request: ReserveRequest, limits: readonly Limit[], { windows }: ReserveReply) {
    this.#store = store;
    this.#request = request;
    this.#limits = limits;
    this.#windows = windows;
  }

  get isLocal(): boolean {
    return this.#store instanceof MemoryStore;
  }

  get limits(): readonly LimitUsage[] {
    const usages: LimitUsage[] = [];
    for (const [index, limit] of this.#limits.entries()) {
      const window = this.#windows[index];
      const own = this.#request.charges[index]?.amount ?? 0;
      if (window) usages.push(usageIn(limit, window, own));
    }
    return usages;
  }

  // Bound, for those who hand one on by itself: `finally(reservation.release)`.
  readonly settle = async (actual: Amounts): Promise<void> => {
    checkAmounts(actual);
    const settlement = this.#end(actual);
    if (settlement) await this.#store.settle(settlement);
  };

  readonly release = async (): Promise<void> => {
    const settlement = this.#end(undefined);
    if (settlement) await this.#store.settle(settlement);
  };

  /** @returns what to settle; undefined: it is over already */
  #end(actual: Amounts | undefined): Settlement | undefined {
    if (this.#over) return undefined;
    this.#over = true;
    const charges: Settlement['charges'][number][] = [];
    for (const [index, { key, unit }] of this.#limits.entries()) {
      const window = this.#windows[index];
      if (!window) continue;
      const { startsAt, endsAt } = window;
      charges.push({ key, startsAt, endsAt, amount: actual ? amountOf(unit, actual) : 0 });
    }
    return { id: this.#request.id, charges };
  }
}

function subjectsOf({ scope }: LimitRule, { agent, keys = [], tags = [] }: LimitedCall): Iterable<string> {
  switch (scope) {
    case 'all':
      return [''];
    case 'agent':
      return agent === undefined ? [] : [agent];
    case 'key':
      return distinct(keys);
    case 'tag':
      return distinct(tags);
  }
}

function distinct(names: readonly string[]): Iterable<string> {
  return names.length < 2 ? names : new Set(names);
}

function amountOf(unit: Unit, { tokens, nanoUsd }: Amounts): number {
  if (unit === 'usd') return nanoUsd;
  return unit === 'tokens' ? tokens : 1;
}

function checkAmounts({ tokens, nanoUsd }: Amounts): void {
  checkAmount('tokens', tokens);
  checkAmount('nanoUsd', nanoUsd);
}

function checkAmount(name: string, amount: number): void {
  if (Number.isSafeInteger(amount) && amount >= 0) return;
  throw new AirframeError('invalid_request', `${name} of a call is ${amount}; give a whole number from 0`);
}
