import { calcPrice, type PriceCalculation } from '@pydantic/genai-prices';

/** USD per 1,000 tokens. */
export interface ModelPrice {
  prompt: number;
  completion: number;
  /** Prompt tokens read from the provider's cache. Absent: the price of a prompt token. */
  cachedPrompt?: number;
  /** Prompt tokens written to the provider's cache. Absent: the price of a prompt token. */
  cacheWrite?: number;
}

/** Provider → model → price. */
export type PriceTable = Readonly<Record<string, Readonly<Record<string, ModelPrice>>>>;

/** Tokens to be priced; `cached` and `cacheWrite` are parts of `prompt`. */
export interface PricedTokens {
  prompt: number;
  completion: number;
  cached: number;
  cacheWrite: number;
}

/** What a model costs. */
export interface Tariff {
  /** Base price; a long prompt may cost more. */
  price: ModelPrice;
  /** USD. */
  cost(tokens: PricedTokens): number;
}

/** Providers that run on the user's own machine. */
const LOCAL_PROVIDERS: ReadonlySet<string> = new Set(['llamaserver', 'llamacpp', 'mock']);

/** Prices of the reference text where the data package says otherwise; checked against 0.1.8. */
const REFERENCE_PRICES: PriceTable = {
  openai: { 'gpt-3.5-turbo': { prompt: 0.0015, completion: 0.002 } },
};

/** Where the data package keeps a provider's models. Azure sells OpenAI's models at OpenAI's prices. */
const DATA_PROVIDERS: Readonly<Record<string, readonly string[]>> = { azure: ['openai', 'azure'] };

/** Azure's names for models that OpenAI spells differently. */
const AZURE_NAMES: readonly [RegExp, string][] = [[/^gpt-35/, 'gpt-3.5']];

const FREE: Tariff = flatTariff({ prompt: 0, completion: 0 });

/** Tariffs by provider and model, as {@link findSetTariff} reads them. */
export type TariffBook = ReadonlyMap<string, Tariff>;

export function tariffBook(table: PriceTable): TariffBook {
  const book = new Map<string, Tariff>();
  for (const [provider, models] of Object.entries(table)) {
    for (const [model, price] of Object.entries(models)) book.set(keyOf(provider, model), flatTariff(price));
  }
  return book;
}

const REFERENCE_BOOK = tariffBook(REFERENCE_PRICES);

/** A price somebody set by hand: the caller's own, else the reference text's. */
export function findSetTariff(own: TariffBook, provider: string, model: string): Tariff | undefined {
  const [owner, name] = sellerOf(provider, model);
  return own.get(keyOf(provider, model)) ?? REFERENCE_BOOK.get(keyOf(owner, name));
}

/** What a model costs, or undefined when nobody knows. */
export function findTariff(own: TariffBook, provider: string, model: string): Tariff | undefined {
  const set = findSetTariff(own, provider, model);
  if (set) return set;
  if (LOCAL_PROVIDERS.has(provider)) return FREE;
  const [, name] = sellerOf(provider, model);
  const sources = Object.hasOwn(DATA_PROVIDERS, provider) ? DATA_PROVIDERS[provider] : undefined;
  for (const providerId of sources ?? [provider]) {
    const tariff = dataTariff(providerId, name);
    if (tariff) return tariff;
  }
  return undefined;
}

function keyOf(provider: string, model: string): string {
  return `${provider}\n${model}`;
}

/** Whose price list a model stands in, and under which name. */
function sellerOf(provider: string, model: string): [provider: string, model: string] {
  if (provider !== 'azure') return [provider, model];
  return [
    'openai',
    AZURE_NAMES.reduce((name, [pattern, spelling]) => name.replace(pattern, spelling), model),
  ];
}

function flatTariff(price: ModelPrice): Tariff {
  const { prompt, completion, cachedPrompt = prompt, cacheWrite = prompt } = price;
  return {
    price,
    cost: tokens =>
      ((tokens.prompt - tokens.cached - tokens.cacheWrite) * prompt +
        tokens.cached * cachedPrompt +
        tokens.cacheWrite * cacheWrite +
        tokens.completion * completion) /
      1_000,
  };
}

const NO_TOKENS: PricedTokens = { prompt: 0, completion: 0, cached: 0, cacheWrite: 0 };

/** A tariff from the data package. Its own arithmetic takes 0.2 ms a call, so it is only asked where it has to be. */
function dataTariff(providerId: string, model: string): Tariff | undefined {
  const found = ask(providerId, model, NO_TOKENS);
  // Models sold by the image or the second have no price for tokens, and are not free.
  if (!found || !('input_mtok' in found.model_price || 'output_mtok' in found.model_price)) return undefined;
  const { input_mtok, output_mtok, cache_read_mtok, cache_write_mtok } = found.model_price;
  const price: ModelPrice = {
    prompt: perThousand(input_mtok) ?? 0,
    completion: perThousand(output_mtok) ?? 0,
  };
  const cachedPrompt = perThousand(cache_read_mtok);
  const cacheWrite = perThousand(cache_write_mtok);
  if (cachedPrompt !== undefined) price.cachedPrompt = cachedPrompt;
  if (cacheWrite !== undefined) price.cacheWrite = cacheWrite;
  const changesWithTime = Array.isArray(found.model.prices);
  const changesWithLength = [input_mtok, output_mtok, cache_read_mtok, cache_write_mtok].some(
    rate => typeof rate === 'object',
  );
  if (!changesWithTime && !changesWithLength) return flatTariff(price);
  return { price, cost: tokens => ask(providerId, model, tokens)?.total_price ?? 0 };
}

type Rate = PriceCalculation['model_price'][string];

function perThousand(perMillion: Rate): number | undefined {
  const base = typeof perMillion === 'object' ? perMillion.base : perMillion;
  return base === undefined ? undefined : base / 1_000;
}

function ask(providerId: string, model: string, tokens: PricedTokens): PriceCalculation | null {
  const usage = {
    input_tokens: tokens.prompt,
    output_tokens: tokens.completion,
    cache_read_tokens: tokens.cached,
    cache_write_tokens: tokens.cacheWrite,
  };
  return calcPrice(usage, model, { providerId });
}
