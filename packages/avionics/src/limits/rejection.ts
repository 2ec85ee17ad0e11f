import { AirframeError } from '@x/airframe';
import type { ReserveReply, WindowState } from '../store/store.ts';
import { isRate, type Limit, PER_UNIT, type Unit } from './rules.ts';
import { type LimitUsage, usageOf } from './usage.ts';

/** What is behind the error of a limit that is reached. */
export interface RejectionCause {
  /** Name of the rule. */
  rule: string;
  /** All limits of the call, as they stand. */
  limits: readonly LimitUsage[];
}

/** The error of a call that a limit keeps back: of all the full ones, the limit that takes longest to pass. */
export function rejectionOf(
  limits: readonly Limit[],
  amounts: readonly number[],
  { windows, now }: Pick<ReserveReply, 'windows' | 'now'>,
): AirframeError {
  let worst: { limit: Limit; window: WindowState } | undefined;
  for (const [index, limit] of limits.entries()) {
    const window = windows[index];
    if (!window || !amounts[index] || window.spent + window.held < limit.limit) continue;
    if (!worst || window.endsAt > worst.window.endsAt) worst = { limit, window };
  }
  if (!worst) return new AirframeError('unknown', 'the store refused a call that no limit keeps back');
  const { limit, window } = worst;
  const retryAfterMs = Math.max(0, window.endsAt - now);
  const used = amountText(window.spent + window.held, limit.unit);
  const problem =
    `rule ${JSON.stringify(limit.rule.name)} allows ${amountText(limit.limit, limit.unit)} ` +
    `${windowText(limit)}${subjectText(limit)}, with ${used} used or reserved`;
  const end = new Date(window.endsAt).toISOString();
  return new AirframeError(isRate(limit) ? 'rate_limit' : 'quota', problem, {
    code: 'limit_reached',
    retryable: isRate(limit),
    retryAfterMs,
    cause: { rule: limit.rule.name, limits: usageOf(limits, windows) } satisfies RejectionCause,
    remedy: `wait ${Math.ceil(retryAfterMs / 1_000)} s, until ${end}, or raise \`${limit.unit}\` of the rule`,
  });
}

const WORDS = { tokens: 'token', requests: 'request' };

function amountText(amount: number, unit: Unit): string {
  if (unit === 'usd') return `${(amount / PER_UNIT.usd).toFixed(9).replace(/\.?0+$/, '')} USD`;
  return `${amount} ${WORDS[unit]}${amount === 1 ? '' : 's'}`;
}

function windowText({ rule: { window } }: Limit): string {
  return typeof window === 'number' ? `every ${window} ms` : `a ${window}`;
}

/** A key is not named: it may be a credential. */
function subjectText({ rule: { scope }, subject }: Limit): string {
  if (scope === 'all') return '';
  return scope === 'key' ? ' for this key' : ` for ${scope} ${JSON.stringify(subject)}`;
}
