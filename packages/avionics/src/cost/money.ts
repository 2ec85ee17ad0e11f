import { AirframeError } from '@x/airframe';

/** A sum of USD that does not lose the small in the large: Neumaier's compensated sum. */
export class CostSum {
  #sum = 0;
  /** What rounding took from the sum so far. */
  #lost = 0;

  /**
   * Adds an amount.
   * @param usd below 0 takes back
   */
  add(usd: number): void {
    const next = this.#sum + usd;
    this.#lost += Math.abs(this.#sum) >= Math.abs(usd) ? this.#sum - next + usd : usd - next + this.#sum;
    this.#sum = next;
  }

  /** USD, not rounded. */
  get usd(): number {
    return this.#sum + this.#lost;
  }
}

const NANO = 1e9;

/** Relative error that a product of two decimals may have: 0.29 USD are 290,000,000 nano-USD, whatever a double says. */
const NOISE = 4 * Number.EPSILON;

/**
 * USD as whole billionths, for stores that add integers atomically.
 * @param rounding `up` for what is reserved: a reservation must not be below the cost
 * @throws AirframeError (invalid_request) beyond ±9 million USD, where a double holds no more whole billionths
 */
export function toNanoUsd(usd: number, rounding: 'nearest' | 'up' = 'nearest'): number {
  const exact = usd * NANO;
  const nearest = Math.round(exact);
  if (!Number.isSafeInteger(nearest)) {
    throw new AirframeError('invalid_request', `${usd} USD cannot be counted in billionths`, {
      remedy: 'amounts go up to 9 million USD',
    });
  }
  const whole = Math.abs(exact - nearest) <= Math.abs(nearest) * NOISE;
  // `+ 0` makes 0 of -0.
  return (rounding === 'up' && !whole ? Math.ceil(exact) : nearest) + 0;
}

/** US dollars of billionths of a dollar, the unit that budgets count in. */
export function fromNanoUsd(nanoUsd: number): number {
  return nanoUsd / NANO;
}

/** Digits that a small amount shows. */
const SIGNIFICANT = 3;

/**
 * An amount for people: `$12.35`, `$0.03`, `$0.000215`. Cents, and below a dollar as many digits more as it takes
 * to show three; so only 0 looks like 0.
 */
export function formatUsd(usd: number): string {
  const amount = Math.abs(usd);
  const sign = usd < 0 ? '-' : '';
  if (amount >= 1 || amount === 0) return `${sign}$${amount.toFixed(2)}`;
  if (amount < 1 / NANO) return usd < 0 ? '>-$0.000000001' : '<$0.000000001';
  const decimals = SIGNIFICANT - 1 - Math.floor(Math.log10(amount));
  const [whole = '', fraction = ''] = amount.toFixed(decimals).split('.');
  return `${sign}$${whole}.${fraction.slice(0, 2)}${fraction.slice(2).replace(/0+$/, '')}`;
}
