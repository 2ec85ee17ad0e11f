import type { WindowState } from '../store/store.ts';
import { type Limit, type LimitRule, PER_UNIT, type Unit } from './rules.ts';

/** How far a limit is used. Amounts are in the rule's unit: US dollars, tokens or requests. */
export interface LimitUsage {
  rule: string;
  scope: LimitRule['scope'];
  /** The agent, key or tag; undefined with scope `all`. */
  subject: string | undefined;
  unit: Unit;
  window: LimitRule['window'];
  limit: number;
  spent: number;
  /** Held by calls under way. */
  reserved: number;
  /** Milliseconds since the epoch. */
  resetsAt: number;
}

/** @param windows of the limits, in their order */
export function usageOf(limits: readonly Limit[], windows: readonly WindowState[]): LimitUsage[] {
  return limits.flatMap((limit, index) => {
    const window = windows[index];
    return window ? [usageIn(limit, window)] : [];
  });
}

/** @param more what is held beside the window's own, in the store's whole numbers */
export function usageIn({ rule, unit, subject, limit }: Limit, window: WindowState, more = 0): LimitUsage {
  const per = PER_UNIT[unit];
  return {
    rule: rule.name,
    scope: rule.scope,
    subject: rule.scope === 'all' ? undefined : subject,
    unit,
    window: rule.window,
    limit: limit / per,
    spent: window.spent / per,
    reserved: (window.held + more) / per,
    resetsAt: window.endsAt,
  };
}
