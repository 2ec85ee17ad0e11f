import { AirframeError } from '@x/airframe';

/** USD per 1,000 tokens. */
export interface TokenPrice {
  prompt: number;
  completion: number;
  /** Prompt tokens read from the provider's cache. Absent: the price of a prompt token. */
  cachedPrompt?: number;
  /** Prompt tokens written to the provider's cache. Absent: the price of a prompt token. */
  cacheWrite?: number;
  /** Prompt tokens written to the cache for an hour instead of minutes. Absent: the price of `cacheWrite`. */
  cacheWrite1h?: number;
  /** Completion tokens that were reasoning. Absent: the price of a completion token. */
  reasoning?: number;
}

/** The price of long prompts: of all tokens of a call, not only of those beyond the threshold. */
export interface PriceTier extends Partial<TokenPrice> {
  /** Holds for prompts of more tokens than this, cached ones included. */
  above: number;
}

/** What a model costs, in USD per 1,000 tokens. */
export interface ModelPrice extends TokenPrice {
  /** What a tier leaves out costs as it does without the tier. */
  tiers?: readonly PriceTier[];
}

/** Provider → model → price. */
export type PriceTable = Readonly<Record<string, Readonly<Record<string, ModelPrice>>>>;

/**
 * Tokens to be priced. `cached` and `cacheWrite` are parts of `prompt`, `cacheWrite1h` of `cacheWrite`,
 * `reasoning` of `completion`.
 */
export interface PricedTokens {
  prompt: number;
  completion: number;
  cached: number;
  cacheWrite: number;
  cacheWrite1h: number;
  reasoning: number;
}

/** What a model costs. */
export interface Tariff {
  price: ModelPrice;
  /** Until when it holds, in milliseconds since 1970; Infinity: as long as the process runs. */
  until: number;
  /** USD, not rounded. */
  cost(tokens: PricedTokens): number;
  /**
   * USD at the dearest of what the tokens may turn out to be: plain, cached or cache writes; thinking or answer.
   * @param forAnHour cache writes may be kept for an hour
   */
  atMost(prompt: number, completion: number, forAnHour: boolean): number;
}

/** @param until milliseconds since 1970 */
export function tariffOf(price: ModelPrice, until: number = Number.POSITIVE_INFINITY): Tariff {
  const { tiers = [], ...base } = price;
  const longestFirst = tiers
    .toSorted((a, b) => b.above - a.above)
    .map(({ above, ...tier }) => ({ above, rates: ratesOf({ ...base, ...tier }) }));
  const baseRates = ratesOf(base);
  const ratesFor = (prompt: number) => longestFirst.find(({ above }) => prompt > above)?.rates ?? baseRates;
  return {
    price,
    until,
    cost: tokens => sum(ratesFor(tokens.prompt), tokens),
    atMost: (prompt, completion, forAnHour) => {
      const rates = ratesFor(prompt);
      const written = forAnHour ? Math.max(rates.cacheWrite, rates.cacheWrite1h) : rates.cacheWrite;
      const dearest = Math.max(rates.prompt, rates.cachedPrompt, written);
      return (prompt * dearest + completion * Math.max(rates.completion, rates.reasoning)) / 1_000;
    },
  };
}

function ratesOf(price: TokenPrice): Required<TokenPrice> {
  const { prompt, completion, cacheWrite = prompt } = price;
  const rest = { cachedPrompt: prompt, cacheWrite, cacheWrite1h: cacheWrite, reasoning: completion };
  return { ...rest, ...price };
}

function sum(rates: Required<TokenPrice>, tokens: PricedTokens): number {
  const { prompt, completion, cached, cacheWrite, cacheWrite1h, reasoning } = tokens;
  return (
    ((prompt - cached - cacheWrite) * rates.prompt +
      cached * rates.cachedPrompt +
      (cacheWrite - cacheWrite1h) * rates.cacheWrite +
      cacheWrite1h * rates.cacheWrite1h +
      (completion - reasoning) * rates.completion +
      reasoning * rates.reasoning) /
    1_000
  );
}

/** Price lists are per million; 0.59 USD of them are 0.00059 here, without a tail of noise. */
export function perThousand(usdPerMillion: number): number {
  return Number((usdPerMillion / 1_000).toPrecision(15));
}

/** A count that is missing or makes no sense is 0: a reply that is paid for must not be lost over its figures. */
export function countOf(tokens: number | undefined): number {
  return tokens !== undefined && Number.isFinite(tokens) && tokens > 0 ? tokens : 0;
}

/** @throws AirframeError (invalid_request, code `configuration`) naming the price that makes no sense */
export function checkPrice(provider: string, model: string, price: ModelPrice): void {
  const { tiers = [], ...base } = price;
  for (const part of [base, ...tiers]) {
    for (const [name, value] of Object.entries(part)) {
      if (Number.isFinite(value) && value >= 0) continue;
      throw new AirframeError(
        'invalid_request',
        `the ${name} price of ${provider} model ${JSON.stringify(model)} is ${String(value)}`,
        { code: 'configuration', remedy: 'set USD per 1,000 tokens, 0 or more' },
      );
    }
  }
}
