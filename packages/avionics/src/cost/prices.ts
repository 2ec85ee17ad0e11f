import { checkPrice, type PriceTable, type Tariff, tariffOf } from './price.ts';
import { dataTariff, endOfMinute } from './price-data.ts';
import { REFERENCE_HOURLY_PRICES, REFERENCE_PRICES } from './reference-prices.ts';

/** Providers that run on the user's own machines: free, but for prices set by hand. */
const LOCAL_PROVIDERS: ReadonlySet<string> = new Set([
  'llamaserver',
  'llamacpp',
  'mock',
  'ollama',
  'vllm',
  'lmstudio',
]);

/** Azure's names for models that OpenAI spells differently. */
const AZURE_NAMES: readonly [RegExp, string][] = [[/^gpt-35/, 'gpt-3.5']];

const FREE: Tariff = tariffOf({ prompt: 0, completion: 0 });

/** Tariffs by provider and model, as {@link findSetTariff} reads them. */
export type TariffBook = ReadonlyMap<string, (at: Date) => Tariff>;

/** @throws AirframeError (invalid_request) naming a price that makes no sense */
export function tariffBook(table: PriceTable): TariffBook {
  const book = new Map<string, (at: Date) => Tariff>();
  for (const [provider, models] of Object.entries(table)) {
    for (const [model, price] of Object.entries(models)) {
      checkPrice(provider, model, price);
      const tariff = tariffOf(price);
      book.set(keyOf(provider, model), () => tariff);
    }
  }
  return book;
}

const REFERENCE_BOOK = referenceBook();

function referenceBook(): TariffBook {
  const book = new Map(tariffBook(REFERENCE_PRICES));
  for (const [provider, models] of Object.entries(REFERENCE_HOURLY_PRICES)) {
    for (const [model, priceAt] of Object.entries(models)) {
      book.set(keyOf(provider, model), at => tariffOf(priceAt(at), endOfMinute(at)));
    }
  }
  return book;
}

/** A price set by hand: the caller's own, else one of this package. */
export function findSetTariff(
  own: TariffBook,
  provider: string,
  model: string,
  at: Date,
): Tariff | undefined {
  const [owner, name] = sellerOf(provider, model);
  const set = own.get(keyOf(provider, model)) ?? REFERENCE_BOOK.get(keyOf(owner, name));
  return set?.(at);
}

/** What a model costs at a time, or undefined when nobody knows. */
export function findTariff(own: TariffBook, provider: string, model: string, at: Date): Tariff | undefined {
  const set = findSetTariff(own, provider, model, at);
  if (set) return set;
  if (LOCAL_PROVIDERS.has(provider)) return FREE;
  const [owner, name] = sellerOf(provider, model);
  return dataTariff(owner, name, at) ?? (owner === provider ? undefined : dataTariff(provider, name, at));
}

function keyOf(provider: string, model: string): string {
  return `${provider}\n${model}`;
}

/** Whose price list a model stands in, and under which name. Azure sells at the price of the model's maker. */
function sellerOf(provider: string, model: string): [provider: string, model: string] {
  if (provider !== 'azure') return [provider, model];
  if (model.startsWith('claude')) return ['anthropic', model];
  const name = AZURE_NAMES.reduce((text, [pattern, spelling]) => text.replace(pattern, spelling), model);
  return ['openai', name];
}
