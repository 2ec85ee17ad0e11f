import { type ModelPrice, type PriceTable, perThousand, type TokenPrice } from './price.ts';

/**
 * Prices over those of the data package, where that is wrong or lacks a model; checked against 0.1.8. Each with the
 * source and the date of the fact.
 */
export const REFERENCE_PRICES: PriceTable = {
  // OpenAI's price of 2023-06-13, which the reference text of this package has; newer snapshots cost less.
  openai: { 'gpt-3.5-turbo': { prompt: 0.0015, completion: 0.002 } },
  // platform.claude.com, pricing, as of 2026-10-07: cache hits of Sonnet 5.5 went from 0.1 to 0.05 of the input, and
  // Haiku 5.5 costs five times as much beyond 100K. The package takes the one for Sonnet 5 and lacks the other.
  anthropic: {
    'claude-sonnet-5-5': perMillion({
      prompt: 2,
      completion: 10,
      cachedPrompt: 0.1,
      cacheWrite: 2.5,
      cacheWrite1h: 4,
    }),
    'claude-haiku-5-5': {
      ...perMillion({
        prompt: 0.1,
        completion: 0.5,
        cachedPrompt: 0.01,
        cacheWrite: 0.125,
        cacheWrite1h: 0.2,
      }),
      tiers: [
        {
          above: 100_000,
          ...perMillion({
            prompt: 0.5,
            completion: 2.5,
            cachedPrompt: 0.05,
            cacheWrite: 0.625,
            cacheWrite1h: 1,
          }),
        },
      ],
    },
  },
  // console.groq.com/docs/models, and LiteLLM 2026-08-01: what gpt-oss-20b costs; the package takes it for the 120b.
  groq: {
    'openai/gpt-oss-safeguard-20b': perMillion({ prompt: 0.075, completion: 0.3, cachedPrompt: 0.0375 }),
  },
  // LiteLLM, 2026-08-01; the package says 0.9.
  together: { 'mistralai/Mixtral-8x7B-Instruct-v0.1': perMillion({ prompt: 0.6, completion: 0.6 }) },
};

/** Off-peak prices of DeepSeek; api-docs.deepseek.com/quick_start/pricing, 2026-10. */
const DEEPSEEK_FLASH = { prompt: 0.15, completion: 0.6, cachedPrompt: 0.003 };
const DEEPSEEK_PRO = { prompt: 0.66, completion: 1.98, cachedPrompt: 0.022 };

/**
 * Prices that change with the hour. The package has those of DeepSeek's flash before V4.1, and peak hours at
 * weekends too. Chinese holidays, off-peak as well, are in neither.
 */
export const REFERENCE_HOURLY_PRICES: Readonly<
  Record<string, Readonly<Record<string, (at: Date) => ModelPrice>>>
> = {
  deepseek: {
    'deepseek-flash': at => deepSeekPrice(DEEPSEEK_FLASH, at),
    'deepseek-v4-flash': at => deepSeekPrice(DEEPSEEK_FLASH, at),
    'deepseek-v4-pro': at => deepSeekPrice(DEEPSEEK_PRO, at),
  },
};

/** Peak costs twice as much: Monday to Friday, 9 to 12 and 14 to 18 o'clock in Beijing, which is UTC+8. */
function deepSeekPrice(offPeak: TokenPrice, at: Date): ModelPrice {
  const day = at.getUTCDay();
  const hour = at.getUTCHours();
  const peak = day >= 1 && day <= 5 && ((hour >= 1 && hour < 4) || (hour >= 6 && hour < 10));
  return perMillion(offPeak, peak ? 2 : 1);
}

function perMillion(price: TokenPrice, factor = 1): TokenPrice {
  const rates = Object.entries(price).map(([name, usd]) => [name, perThousand(usd * factor)]);
  return { ...price, ...Object.fromEntries(rates) };
}
