import type { ReserveRequest, Settlement, WindowLength } from './store.ts';

/**
 * The window that a moment lies in.
 * @param now milliseconds since the epoch
 */
export function windowAt(now: number, length: WindowLength): { startsAt: number; endsAt: number } {
  if (length === 'month') return { startsAt: monthStart(now, 0), endsAt: monthStart(now, 1) };
  const startsAt = now - (now % length);
  return { startsAt, endsAt: startsAt + length };
}

/**
 * The first moment (UTC) of the month that is `ahead` months after that of `now`.
 * @param now milliseconds since the epoch
 */
export function monthStart(now: number, ahead: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + ahead);
}

/** The end of a reservation that may or may not have been made. */
export function cancellationOf({ id, charges }: ReserveRequest): Settlement {
  const now = Date.now();
  return { id, charges: charges.map(({ key, window }) => ({ key, ...windowAt(now, window), amount: 0 })) };
}
