import { useEffect, useState } from 'react';
import type { Budget } from '../contract.ts';
import { budgetId, type ConsoleState, type Spent } from '../feed/state.ts';
import { amount, percent, span } from '../format.ts';
import { BurnDown } from './burn-down.tsx';
import { type Pace, paceOf } from './pace.ts';

const GROUPS = [
  ['key', 'Keys'],
  ['agent', 'Agents'],
  ['tag', 'Tags'],
  ['all', 'All calls'],
] as const;

export function Budgets({ data }: { data: ConsoleState }) {
  const now = useSeconds();
  const keys = data.hello?.keys ?? [];
  const limited = new Set(data.budgets.filter(({ scope }) => scope === 'key').map(({ subject }) => subject));
  const unlimited = keys.filter(key => !limited.has(key));
  return (
    <div className="budgets">
      <div className="view-head">
        <h1>Keys and budgets</h1>
        <p className="muted">What is left of each limit, and whether it lasts until it resets.</p>
      </div>
      {data.budgets.length === 0 && (
        <p className="empty muted">
          No limit is set, or none was used yet; `limits` in gateway.yaml sets them.
        </p>
      )}
      {GROUPS.map(([scope, title]) => (
        <Group
          key={scope}
          title={title}
          budgets={data.budgets.filter(budget => budget.scope === scope)}
          trails={data.trails}
          now={now}
        />
      ))}
      {unlimited.length > 0 && (
        <p className="muted unlimited">
          Keys without a limit that is in use: <span>{unlimited.join(', ')}</span>
        </p>
      )}
    </div>
  );
}

interface GroupProps {
  title: string;
  budgets: readonly Budget[];
  trails: ConsoleState['trails'];
  now: number;
}

function Group({ title, budgets, trails, now }: GroupProps) {
  if (budgets.length === 0) return null;
  const byUse = budgets
    .map(budget => ({ budget, pace: paceOf(budget, now) }))
    .sort((a, b) => b.pace.used - a.pace.used);
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <ul className="budget-cards">
        {byUse.map(({ budget, pace }) => {
          const id = budgetId(budget);
          return <Card key={id} budget={budget} pace={pace} trail={trails.get(id) ?? []} now={now} />;
        })}
      </ul>
    </section>
  );
}

interface CardProps {
  budget: Budget;
  pace: Pace;
  trail: readonly Spent[];
  now: number;
}

function Card({ budget, pace, trail, now }: CardProps) {
  const { rule, subject, unit, window, limit, spent, reserved } = budget;
  const state = pace.left === 0 ? 'empty' : pace.emptyAt === undefined ? 'fine' : 'short';
  return (
    <li className={`budget is-${state}`}>
      <header>
        <h3>{subject ?? rule}</h3>
        {subject !== undefined && <span className="muted">{rule}</span>}
        <span className="fill" />
        <span className="badge">{percent(pace.used)} used</span>
      </header>
      <p className="left">
        <strong>{amount(pace.left, unit)}</strong>
        <span className="muted">
          {unit === 'usd' ? '' : `${unit} `}left of {amount(limit, unit)} {windowText(window)}
        </span>
      </p>
      <BurnDown budget={budget} pace={pace} trail={trail} now={now} />
      <dl className="facts-grid">
        <div>
          <dt>Spent</dt>
          <dd>{amount(spent, unit)}</dd>
        </div>
        <div title="By calls under way">
          <dt>Held</dt>
          <dd>{amount(reserved, unit)}</dd>
        </div>
        <div>
          <dt>Resets in</dt>
          <dd>{span(pace.resetsAt - now)}</dd>
        </div>
      </dl>
      <p className="outlook">{outlook(pace, now)}</p>
    </li>
  );
}

function windowText(window: string): string {
  return Number.isNaN(Number(window)) ? `a ${window}` : `in ${span(Number(window))}`;
}

function outlook({ left, emptyAt, resetsAt }: Pace, now: number): string {
  if (left === 0) return `Used up: calls are refused for ${span(resetsAt - now)}.`;
  if (emptyAt === undefined) return 'Lasts at this pace.';
  return `Used up in ${span(emptyAt - now)} at this pace, ${span(resetsAt - emptyAt)} too soon.`;
}

/** The time, every second. */
function useSeconds(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
