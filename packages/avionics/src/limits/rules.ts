import { createHash } from 'node:crypto';
import { AirframeError } from '@x/airframe';
import { z } from 'zod';
import type { WindowLength } from '../store/store.ts';

/**
 * A budget or a rate. Windows are fixed and begin at whole minutes, hours, days and months (UTC), or at multiples of
 * a number of milliseconds since the epoch.
 */
export interface LimitRule {
  /** Unique; it stands in errors, and what has been used is kept under it. */
  name: string;
  /** What the rule counts by. `all`: every call. */
  scope: 'agent' | 'key' | 'tag' | 'all';
  /** The one agent, key or tag it is for. Absent: each has these limits for itself. */
  match?: string | undefined;
  window: 'minute' | 'hour' | 'day' | 'month' | number;
  /** At least one of the three. US dollars, to the billionth. */
  usd?: number | undefined;
  /** Prompt and completion together. */
  tokens?: number | undefined;
  requests?: number | undefined;
}

/** What a rule counts, one window each. */
export const UNITS = ['usd', 'tokens', 'requests'] as const;
export type Unit = (typeof UNITS)[number];

/** A store counts whole numbers: dollars are counted in billionths. */
export const PER_UNIT: Readonly<Record<Unit, number>> = { usd: 1e9, tokens: 1, requests: 1 };

const MINUTE_MS = 60_000;
const LENGTHS: Readonly<Record<string, WindowLength>> = {
  minute: MINUTE_MS,
  hour: 60 * MINUTE_MS,
  day: 24 * 60 * MINUTE_MS,
  month: 'month',
};

/** A limit of a rule, for one agent, key or tag, or for all calls. */
export interface Limit {
  rule: LimitRule;
  unit: Unit;
  /** '' with scope `all`. */
  subject: string;
  /** Name of its window in the store. */
  key: string;
  window: WindowLength;
  /** In the store's whole numbers. */
  limit: number;
}

const dollars = z.number().min(1e-9).optional();
const count = z.int().positive().optional();

const rulesSchema = z
  .array(
    z
      .strictObject({
        name: z.string().min(1),
        scope: z.enum(['agent', 'key', 'tag', 'all']),
        match: z.string().min(1).optional(),
        window: z.union([z.enum(['minute', 'hour', 'day', 'month']), z.int().min(1_000)], {
          error: 'use minute, hour, day, month, or whole milliseconds from 1000',
        }),
        usd: dollars,
        tokens: count,
        requests: count,
      })
      .refine(rule => rule.usd ?? rule.tokens ?? rule.requests, { error: 'give usd, tokens or requests' })
      .refine(rule => rule.scope !== 'all' || rule.match === undefined, {
        error: 'scope all has no match; use agent, key or tag',
      }),
  )
  .refine(rules => new Set(rules.map(({ name }) => name)).size === rules.length, {
    error: 'give each rule a name of its own',
  });

/** @throws AirframeError (invalid_request) that names all that is wrong */
export function checkRules(rules: readonly LimitRule[]): readonly LimitRule[] {
  const parsed = rulesSchema.safeParse(rules);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => {
    const name = rules[Number(path[0])]?.name;
    const at = name === undefined ? 'rules' : [`rule ${JSON.stringify(name)}`, ...path.slice(1)].join('.');
    return `${at}: ${message}`;
  });
  throw new AirframeError('invalid_request', `limits are wrong: ${problems.join('; ')}`, {
    code: 'configuration',
  });
}

/** The limits that a rule sets to one agent, key or tag. */
export function limitsOf(rule: LimitRule, subject: string): readonly Limit[] {
  const known = made.get(rule);
  if (known?.subject === subject) return known.limits;
  const limits = makeLimits(rule, subject);
  made.set(rule, { subject, limits });
  return limits;
}

/** Of the subject that was asked for last, which for most rules is the only one. */
const made = new WeakMap<LimitRule, { subject: string; limits: readonly Limit[] }>();

function makeLimits(rule: LimitRule, subject: string): Limit[] {
  const window = typeof rule.window === 'number' ? rule.window : LENGTHS[rule.window];
  if (window === undefined) return [];
  // Keys may be credentials, which have no place in a store.
  const id = rule.scope === 'key' ? createHash('sha256').update(subject).digest('hex').slice(0, 32) : subject;
  return UNITS.flatMap(unit => {
    const most = rule[unit];
    if (most === undefined) return [];
    const key = [rule.name, unit, String(window), id].map(encodeURIComponent).join('/');
    return [{ rule, unit, subject, key, window, limit: Math.round(most * PER_UNIT[unit]) }];
  });
}

/** True for windows so short that waiting is an answer. */
export function isRate({ window }: Limit): boolean {
  return window !== 'month' && window <= MINUTE_MS;
}
