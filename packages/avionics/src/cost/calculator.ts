import { type Logger, loggerOf } from '../logger.ts';
import { ByPair } from './by-pair.ts';
import { type CostEstimate, type RequestSize, tokensOfSize } from './estimate.ts';
import { countOf, type PriceTable, type Tariff } from './price.ts';
import { findSetTariff, findTariff, type TariffBook, tariffBook } from './prices.ts';

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

/** Parts of the tokens that may have a price of their own, under the names of airframe's `Usage`. */
export interface TokenParts {
  /** Of the prompt tokens. */
  cachedTokens?: number | undefined;
  /** Of the prompt tokens. */
  cacheWriteTokens?: number | undefined;
  /** Of `cacheWriteTokens`: those to be kept for an hour. */
  cacheWrite1hTokens?: number | undefined;
  /** Of the completion tokens. */
  reasoningTokens?: number | undefined;
}

/** What {@link CostCalculator} takes. */
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
  /** null: nobody knows the price. */
  readonly #tariffs = new ByPair<Tariff | null>(MAX_REMEMBERED);
  /** Whether a price was given by hand. */
  readonly #set = new ByPair<boolean>(MAX_REMEMBERED);
  readonly #unpriced = new Map<string, { provider: string; model: string }>();

  /** @throws AirframeError (invalid_request) naming a price that makes no sense */
  constructor(options: CostCalculatorOptions = {}) {
    this.#own = tariffBook(options.prices ?? {});
    this.#logger = loggerOf(options.logger);
  }

  /**
   * What a call has cost.
   * @param provider provider type, e.g. `openai`
   * @param promptTokens all of them, cached ones included
   * @param completionTokens all of them, reasoning included
   * @param options a `Usage` fits as it is
   * @param options.logger told instead of the calculator's own when the model has no price
   */
  calculateCost(
    provider: string,
    model: string,
    promptTokens: number,
    completionTokens: number,
    options: TokenParts & { logger?: Logger } = {},
  ): CostMetrics {
    const prompt = countOf(promptTokens);
    const completion = countOf(completionTokens);
    const cached = Math.min(countOf(options.cachedTokens), prompt);
    const cacheWrite = Math.min(countOf(options.cacheWriteTokens), prompt - cached);
    const cacheWrite1h = Math.min(countOf(options.cacheWrite1hTokens), cacheWrite);
    const reasoning = Math.min(countOf(options.reasoningTokens), completion);
    const timestamp = new Date();
    const tariff = this.#tariff(provider, model, timestamp.getTime());
    if (!tariff) this.#warn(provider, model, options.logger ? loggerOf(options.logger) : this.#logger);
    const parts = { cached, cacheWrite, cacheWrite1h, reasoning };
    const costUsd = tariff?.cost({ prompt, completion, ...parts }) ?? 0;
    const totalTokens = prompt + completion;
    return {
      provider,
      model,
      promptTokens: prompt,
      completionTokens: completion,
      totalTokens,
      costUsd,
      priced: tariff !== undefined,
      timestamp,
      tokensPerDollar: costUsd > 0 ? totalTokens / costUsd : Number.POSITIVE_INFINITY,
    };
  }

  /** USD that a text would cost as a prompt. */
  estimateCost(provider: string, model: string, text: string, tokensPerChar = 0.25): number {
    return this.calculateCost(provider, model, Math.ceil(text.length * tokensPerChar), 0).costUsd;
  }

  /**
   * What a request may cost at most, for a budget to reserve before it is sent. Taken to be true: a prompt has no
   * more than 0.5 tokens a character and 5,000 an image, all of it may be written to the cache, the answer is as
   * long as `maxTokens` allows, and there is one answer.
   * @param size see {@link sizeOfRequest}
   */
  estimateRequest(provider: string, model: string, size: RequestSize): CostEstimate {
    const { promptTokens, completionTokens } = tokensOfSize(model, size);
    const tariff = this.#tariff(provider, model);
    if (!tariff) this.#warn(provider, model, this.#logger);
    const costUsd = tariff ? tariff.atMost(promptTokens, completionTokens, size.cacheTtl === '1h') : 0;
    return { promptTokens, completionTokens, costUsd, priced: tariff !== undefined };
  }

  /** Models that were asked for and have no price, in the order they came up; 1,000 at most. */
  unpricedModels(): { provider: string; model: string }[] {
    return [...this.#unpriced.values()].map(unpriced => ({ ...unpriced }));
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
    if (reported === undefined || this.#isSet(provider, requested)) return requested;
    return this.isPriced(provider, reported) ? reported : requested;
  }

  #isSet(provider: string, model: string): boolean {
    const known = this.#set.get(provider, model);
    if (known !== undefined) return known;
    const isSet = findSetTariff(this.#own, provider, model, new Date()) !== undefined;
    this.#set.set(provider, model, isSet);
    return isSet;
  }

  #tariff(provider: string, model: string, at = Date.now()): Tariff | undefined {
    const known = this.#tariffs.get(provider, model);
    if (known === null) return undefined;
    if (known && at < known.until) return known;
    const tariff = findTariff(this.#own, provider, model, new Date(at));
    this.#tariffs.set(provider, model, tariff ?? null);
    return tariff;
  }

  #warn(provider: string, model: string, logger: Logger): void {
    const key = `${provider}\n${model}`;
    if (this.#unpriced.has(key)) return;
    if (this.#unpriced.size >= MAX_REMEMBERED) this.#unpriced.clear();
    this.#unpriced.set(key, { provider, model });
    const text = `no price is known for ${provider} model ${JSON.stringify(model)}; its calls count as 0 USD, unpriced; set one with CostCalculator({prices})`;
    logger.warn(text, { provider, model });
  }
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
  options: TokenParts = {},
): CostMetrics {
  return getCostCalculator().calculateCost(provider, model, promptTokens, completionTokens, options);
}
