import { calcPrice, type PriceCalculation } from '@pydantic/genai-prices';
import { type ModelPrice, perThousand, type Tariff, type TokenPrice, tariffOf } from './price.ts';

/** Our names of prices, and the data package's. Absent ones mean the same here and there. */
const PRICE_KEYS: readonly [keyof TokenPrice, string][] = [
  ['prompt', 'input_mtok'],
  ['completion', 'output_mtok'],
  ['cachedPrompt', 'cache_read_mtok'],
  ['cacheWrite', 'cache_write_mtok'],
  ['cacheWrite1h', 'cache_write_1h_mtok'],
  ['reasoning', 'output_reasoning_mtok'],
];

type Rates = PriceCalculation['model_price'];

/**
 * A tariff from the data package. Its own arithmetic takes 0.2 ms a call, so it is only asked for prices.
 * @param providerId as the package knows it
 */
export function dataTariff(providerId: string, model: string, at: Date): Tariff | undefined {
  const found = calcPrice({ input_tokens: 0, output_tokens: 0 }, model, { providerId, timestamp: at });
  // Models sold by the image or the second have no price for tokens, and are not free.
  if (!found || !('input_mtok' in found.model_price || 'output_mtok' in found.model_price)) return undefined;
  const changesWithTime = Array.isArray(found.model.prices);
  return tariffOf(priceOf(found.model_price), changesWithTime ? endOfMinute(at) : undefined);
}

/** Prices that change with time do so at full minutes. */
export function endOfMinute(at: Date): number {
  return (Math.floor(at.getTime() / 60_000) + 1) * 60_000;
}

function priceOf(rates: Rates): ModelPrice {
  const starts = new Set(Object.values(rates).flatMap(rate => tiersOf(rate).map(tier => tier.start)));
  const tiers = [...starts].map(above => ({ above, ...ratesFor(rates, above + 1) }));
  const price = { prompt: 0, completion: 0, ...ratesFor(rates, 0) };
  return tiers.length === 0 ? price : { ...price, tiers };
}

/** USD per 1,000 tokens of a prompt of this length. */
function ratesFor(rates: Rates, promptTokens: number): Partial<TokenPrice> {
  const prices: Partial<TokenPrice> = {};
  for (const [name, key] of PRICE_KEYS) {
    const rate = rates[key];
    if (rate === undefined) continue;
    const base = typeof rate === 'object' ? rate.base : rate;
    const tier = tiersOf(rate).findLast(({ start }) => promptTokens > start);
    prices[name] = perThousand(tier?.price ?? base);
  }
  // What OpenRouter lists as Gemini's cache write is the storage alone; the tokens are paid as well
  // (openrouter.ai/docs, prompt caching, 2026). Nobody writes a prompt to the cache for less than its price.
  const { prompt = 0, cacheWrite = prompt } = prices;
  if (cacheWrite < prompt) prices.cacheWrite = prompt + cacheWrite;
  return prices;
}

function tiersOf(rate: Rates[string]): { start: number; price: number }[] {
  return typeof rate === 'object' ? rate.tiers : [];
}
