import { AirframeError } from '@x/airframe';

/**
 * Length of a window: milliseconds, for windows that begin at its multiples since the epoch, or a calendar month.
 * All of them are UTC.
 */
export type WindowLength = number | 'month';

/** What a reservation takes from one window. Amounts are whole numbers, of one unit a key. */
export interface Charge {
  key: string;
  window: WindowLength;
  limit: number;
  /** 0: is counted when it is settled, and is never refused. */
  amount: number;
}

/** A window at one moment. */
export interface WindowState {
  /** Milliseconds since the epoch, by the store's clock. */
  startsAt: number;
  endsAt: number;
  /** Settled amounts. */
  spent: number;
  /** Reserved and not settled yet. */
  held: number;
}

/** Amounts to take from some windows, all of them or none. */
export interface ReserveRequest {
  /** Of the caller's making, used once. */
  id: string;
  charges: readonly Charge[];
  /** A reservation that nobody settles, its process being dead, is given back after this many milliseconds. */
  ttlMs: number;
}

/** What came of a reservation. */
export interface ReserveReply {
  granted: boolean;
  /** The store's clock. */
  now: number;
  /** Before this reservation; in the order of the charges. */
  windows: readonly WindowState[];
}

/** What became of a reservation: the amounts replace the reserved ones, in the windows they were reserved in. */
export interface Settlement {
  id: string;
  charges: readonly { key: string; startsAt: number; endsAt: number; amount: number }[];
}

/**
 * What processes share: windows of budgets and limits, short texts, claims on slots. Every call of every store ends
 * within a bounded time. Those that cannot be carried out reject with an error that {@link isStoreError} knows.
 */
export interface Store {
  /**
   * Takes all charges or none. It is granted while no window is full: the last one granted may overfill a window, by
   * no more than its own amount.
   */
  reserve(request: ReserveRequest): Promise<ReserveReply>;

  /**
   * Never rejects: what cannot be booked now is booked later, for as long as this process lives. An id counts once,
   * however often its settlement arrives. One of a window that is over changes nothing; one whose reservation has
   * expired, or never arrived, counts all the same.
   */
  settle(settlement: Settlement): Promise<void>;

  /** The windows of now, in the order of the keys. */
  usage(windows: readonly Pick<Charge, 'key' | 'window'>[]): Promise<WindowState[]>;

  /** The value, while it is good. */
  get(key: string): Promise<string | undefined>;

  /**
   * Keeps a value.
   * @param ttlMs whole milliseconds until the value is gone
   */
  set(key: string, value: string, ttlMs: number): Promise<void>;

  /** Drops a value. */
  delete(key: string): Promise<void>;

  /**
   * Takes one of `capacity` places. A holder has at most one place of a key; claiming again renews it.
   * @param holder unique among all processes
   * @param ttlMs the place is free again after this long without {@link renew}
   */
  claim(key: string, capacity: number, holder: string, ttlMs: number): Promise<ClaimReply>;

  /** Keeps a place. One that was lost is taken again even where that is one too many: it is in use, after all. */
  renew(key: string, holder: string, ttlMs: number): Promise<void>;

  /** Gives a place back; without one nothing happens. */
  release(key: string, holder: string): Promise<void>;

  /** Places taken. */
  held(key: string): Promise<number>;

  /** Gives back connections and timers. */
  close(): Promise<void>;
}

/** What came of a claim. */
export interface ClaimReply {
  granted: boolean;
  /** Places taken, this one included. */
  held: number;
}

/** Code of a call that was not even sent, the store being known to be down. */
export const STORE_DOWN = 'store_down';
/** Code of a call that may have been carried out, but whose reply did not come. */
export const STORE_FAILED = 'store_failed';

/** True for the error of a store that is away, slow or refuses to work. */
export function isStoreError(error: unknown): error is AirframeError {
  return error instanceof AirframeError && (error.code === STORE_DOWN || error.code === STORE_FAILED);
}
