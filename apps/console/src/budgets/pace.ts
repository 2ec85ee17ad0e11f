import type { Budget } from '../contract.ts';
import type { Spent } from '../feed/state.ts';

const LENGTHS: Readonly<Record<string, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** Where a budget stands in its window. Times are milliseconds since the epoch. */
export interface Pace {
  startsAt: number;
  resetsAt: number;
  left: number;
  /** Share of the limit that is used, with what calls under way hold; may be above 1. */
  used: number;
  /** Share of the window that is over, 0 to 1. */
  elapsed: number;
  /** When it is used up if spending goes on as in this window so far; absent: not before it begins anew. */
  emptyAt?: number;
}

/** Windows are whole minutes, hours, days, months (UTC), or a number of milliseconds. */
export function paceOf({ window, limit, spent, reserved, resetsAt }: Budget, now: number): Pace {
  const startsAt =
    window === 'month' ? monthBefore(resetsAt) : resetsAt - (LENGTHS[window] ?? Number(window));
  const length = Math.max(1, resetsAt - startsAt);
  const elapsed = Math.min(1, Math.max(0, (now - startsAt) / length));
  const left = Math.max(0, limit - spent - reserved);
  const perMs = spent / Math.max(1, now - startsAt);
  const emptyAt = left === 0 ? now : now + left / perMs;
  return {
    ...{ startsAt, resetsAt, left, elapsed, used: (spent + reserved) / limit },
    ...(emptyAt < resetsAt ? { emptyAt } : {}),
  };
}

function monthBefore(at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 1, 1);
}

/** What was left when, 0 to 1 both, from the beginning of the window: a line that falls. */
export function burnDown(
  budget: Budget,
  { startsAt, resetsAt }: Pace,
  trail: readonly Spent[],
  now: number,
): [x: number, left: number][] {
  const x = (at: number) => Math.min(1, Math.max(0, (at - startsAt) / Math.max(1, resetsAt - startsAt)));
  const left = (spent: number) => Math.max(0, 1 - spent / budget.limit);
  const seen = trail.filter(({ at }) => at >= startsAt && at <= now);
  return [
    [0, 1],
    ...seen.map(({ at, spent }): [number, number] => [x(at), left(spent)]),
    [x(now), left(budget.spent)],
  ];
}
