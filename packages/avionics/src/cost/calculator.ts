import { type Logger, silentLogger } from '../logger.ts';
import {
  findSetTariff,
  findTariff,
  type PriceTable,
  type Tariff,
  type TariffBook,
  tariffBook,
} from './prices.ts';

/** What a call cost. */
export interface CostMetrics {
  provider: string;
  model: string;
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  costUsd: number;
  /** false: nobody knows the price, and `costUsd` is 0 for want of one. */
  priced: boolean;
  timestamp: Date;
  /** Infinity when it cost nothing. */
  tokensPerDollar: number;
}

/** Parts of the prompt tokens that have a price of their own. */
export interface CacheTokens {
  cachedTokens?: number | undefined;
  cacheWriteTokens?: number | undefined;
}

export interface CostCalculatorOptions {
  /** Prices over those of the data package; USD per 1,000 tokens. */
  prices?: PriceTable;
  /** Told once of each model without a price. */
  logger?: Logger;
}

/** Bounds what a stream of made-up model names can take of memory. */
const MAX_REMEMBERED = 1_000;

/** Tokens → USD. Local providers are free; prices are bundled data, nothing is fetched. */
export class CostCalculator {
  readonly #own: TariffBook;
  readonly #logger: Logger;
  readonly #tariffs = new Map<string, Tariff>();
  readonly #unpriced = new Set<string>();

  constructor(options: CostCalculatorOptions = {}) {
    this.#own = tariffBook(options.prices ?? {});
    this.#logger = options.logger ?? silentLogger;
  }

  /**
   * @param provider provider type, e.g. `openai`
   * @param promptTokens all of them, cached ones included
   * @param options.logger told instead of the calculator's own when the model has no price
   */
  calculateCost(
    provider: string,
    model: string,
    promptTokens: number,
    completionTokens: number,
    options: CacheTokens & { logger?: Logger } = {},
  ): CostMetrics {
    const prompt = countOf(promptTokens);
    const completion = countOf(completionTokens);
    const cached = Math.min(countOf(options.cachedTokens), prompt);
    const cacheWrite = Math.min(countOf(options.cacheWriteTokens), prompt - cached);
    const tariff = this.#tariff(provider, model);
    if (!tariff) this.#warn(provider, model, options.logger ?? this.#logger);
    const costUsd = tariff?.cost({ prompt, completion, cached, cacheWrite }) ?? 0;
    const totalTokens = prompt + completion;
    return {
      provider,
      model,
      promptTokens: prompt,
      completionTokens: completion,
      totalTokens,
      costUsd,
      priced: tariff !== undefined,
      timestamp: new Date(),
      tokensPerDollar: costUsd > 0 ? totalTokens / costUsd : Number.POSITIVE_INFINITY,
    };
  }

  /** USD that a text would cost as a prompt. */
  estimateCost(provider: string, model: string, text: string, tokensPerChar = 0.25): number {
    return this.calculateCost(provider, model, Math.ceil(text.length * tokensPerChar), 0).costUsd;
  }

  /** USD per 1,000 prompt and completion tokens; `[0, 0]` when free or unknown ({@link isPriced} tells which). */
  getPricing(provider: string, model: string): [prompt: number, completion: number] {
    const tariff = this.#tariff(provider, model);
    if (!tariff) this.#warn(provider, model, this.#logger);
    return tariff ? [tariff.price.prompt, tariff.price.completion] : [0, 0];
  }

  /** Whether the model's price is known. */
  isPriced(provider: string, model: string): boolean {
    return this.#tariff(provider, model) !== undefined;
  }

  /**
   * The name to price a call by: the requested one when a price was set for it by hand, else the one the
   * backend reports when its price is known, else the requested one.
   */
  billingModel(provider: string, requested: string | undefined, reported: string | undefined): string {
    if (requested === undefined) return reported ?? 'default';
    if (reported === undefined || findSetTariff(this.#own, provider, requested)) return requested;
    return this.isPriced(provider, reported) ? reported : requested;
  }

  #tariff(provider: string, model: string): Tariff | undefined {
    const key = `${provider}\n${model}`;
    const known = this.#tariffs.get(key);
    if (known) return known;
    const tariff = findTariff(this.#own, provider, model);
    if (tariff) {
      if (this.#tariffs.size >= MAX_REMEMBERED) this.#tariffs.clear();
      this.#tariffs.set(key, tariff);
    }
    return tariff;
  }

  #warn(provider: string, model: string, logger: Logger): void {
    const key = `${provider}\n${model}`;
    if (this.#unpriced.has(key)) return;
    if (this.#unpriced.size >= MAX_REMEMBERED) this.#unpriced.clear();
    this.#unpriced.add(key);
    const text = `no price is known for ${provider} model ${JSON.stringify(model)}; its calls count as 0 USD, unpriced; set one with CostCalculator({prices})`;
    logger.warn(text, { provider, model });
  }
}

/** A count that is missing or makes no sense is 0: a reply that is paid for must not be lost over its figures. */
function countOf(tokens: number | undefined): number {
  return tokens !== undefined && Number.isFinite(tokens) && tokens > 0 ? tokens : 0;
}

let shared: CostCalculator | undefined;

/** The calculator of this process, with bundled prices. */
export function getCostCalculator(): CostCalculator {
  shared ??= new CostCalculator();
  return shared;
}

/** {@link CostCalculator.calculateCost} of the process's calculator. */
export function calculateCost(
  provider: string,
  model: string,
  promptTokens: number,
  completionTokens: number,
  options: CacheTokens = {},
): CostMetrics {
  return getCostCalculator().calculateCost(provider, model, promptTokens, completionTokens, options);
}
