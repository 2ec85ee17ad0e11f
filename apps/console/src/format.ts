const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** What stands where there is no figure. */
export const NONE = '–';

/** A duration: `0.4 ms`, `320 ms`, `1.23 s`, `12.3 s`, `1 min 5 s`. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return NONE;
  if (ms > 0 && ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9.995 * SECOND) return `${(ms / SECOND).toFixed(2)} s`;
  if (ms < 59.95 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  return span(ms);
}

/** A longer time in its two largest units: `1 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / SECOND));
  if (seconds < 60) return `${seconds} s`;
  const total = seconds * SECOND;
  if (total < HOUR) return pair(total, MINUTE, 'min', SECOND, 's');
  if (total < DAY) return pair(total, HOUR, 'h', MINUTE, 'min');
  return pair(total, DAY, 'd', HOUR, 'h');
}

function pair(ms: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % large) / small);
  const first = `${Math.floor(ms / large)} ${largeUnit}`;
  return rest === 0 ? first : `${first} ${rest} ${smallUnit}`;
}

/** US dollars, with as many digits as small amounts need: `$0`, `$0.00042`, `$0.052`, `$1.20`, `$1,234`. */
export function usd(amount: number | undefined): string {
  if (amount === undefined) return NONE;
  if (amount === 0) return '$0';
  if (amount < 1e-9) return '<$0.000000001';
  if (amount < 1) return `$${amount.toFixed(Math.min(12, 1 - Math.floor(Math.log10(amount))))}`;
  return amount < 1000 ? `$${amount.toFixed(2)}` : `$${whole.format(amount)}`;
}

/** `950`, `1,234`, `12.3K`, `4M`. */
export function count(value: number | undefined): string {
  if (value === undefined) return NONE;
  return value < 10_000 ? whole.format(value) : short.format(value);
}

/** Something per second: `0`, `0.25`, `3.4`, `120`. */
export function rate(value: number | undefined): string {
  if (value === undefined) return NONE;
  if (value === 0) return '0';
  if (value < 1) return value.toFixed(2);
  return value < 100 ? value.toFixed(1) : count(Math.round(value));
}

/** 0 to 1 as `0 %`, `0.4 %`, `37 %`. */
export function percent(share: number | undefined): string {
  if (share === undefined) return NONE;
  const value = share * 100;
  return `${value > 0 && value < 1 ? value.toFixed(1) : Math.round(value)} %`;
}

/** Time of day; with the day when it is another one than that of `now`. */
export function time(at: number, now: number = Date.now()): string {
  const text = clock.format(at);
  return day.format(at) === day.format(now) ? text : `${day.format(at)}, ${text}`;
}

/** Of an amount in a budget's unit. */
export function amount(value: number, unit: 'usd' | 'tokens' | 'requests'): string {
  return unit === 'usd' ? usd(value) : count(value);
}
