import type { Budget } from '../contract.ts';
import type { Spent } from '../feed/state.ts';
import { percent } from '../format.ts';
import { burnDown, type Pace } from './pace.ts';

interface BurnDownProps {
  budget: Budget;
  pace: Pace;
  trail: readonly Spent[];
  now: number;
}

const WIDTH = 300;
const HEIGHT = 64;

/** What is left over the window: the even pace, what was, and where it leads. */
export function BurnDown({ budget, pace, trail, now }: BurnDownProps) {
  const points = burnDown(budget, pace, trail, now).map(([x, left]): [number, number] => [
    x * WIDTH,
    (1 - left) * HEIGHT,
  ]);
  const [x, y] = points.at(-1) ?? [0, 0];
  const line = points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L');
  const end = endOf(budget, pace);
  const told = `${percent(Math.max(0, 1 - pace.used))} left with ${percent(1 - pace.elapsed)} of the time to go`;
  return (
    <svg
      className="burn-down"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={told}
    >
      <path className="even" d={`M0 0L${WIDTH} ${HEIGHT}`} />
      <path className="area" d={`M0 ${HEIGHT}L${line}L${x.toFixed(1)} ${HEIGHT}Z`} />
      <path className="ahead" d={`M${x.toFixed(1)} ${y.toFixed(1)}L${end}`} />
      <path className="spent" d={`M${line}`} />
      <path className="now" d={`M${x.toFixed(1)} 0V${HEIGHT}`} />
    </svg>
  );
}

/** Where the line ends if spending goes on as so far. */
function endOf({ limit, spent }: Budget, { startsAt, resetsAt, emptyAt, elapsed }: Pace): string {
  if (emptyAt !== undefined) return `${((emptyAt - startsAt) / (resetsAt - startsAt)) * WIDTH} ${HEIGHT}`;
  const used = elapsed === 0 ? 0 : spent / limit / elapsed;
  return `${WIDTH} ${Math.min(1, used) * HEIGHT}`;
}
