import type { Logger } from '@x/avionics';
import type { Runtime } from './runtime.ts';

/** Says, when dollars are limited, which models are outside of every budget because nobody knows their price. */
export function warnOfUnpriced(
  { config, catalog, costCalculator, providers }: Runtime,
  logger: Logger,
): void {
  const { keys = [], limits = [] } = config;
  const inDollars =
    keys.some(key => key.usdPerDay ?? key.usdPerMonth) || limits.some(({ usd }) => usd !== undefined);
  if (!inDollars) return;
  const told = new Set<string>();
  for (const { id, targets } of catalog.entries()) {
    for (const { provider: name, model: asked } of targets) {
      const provider = providers.get(name)?.provider;
      const model = asked ?? provider?.defaultModel;
      if (!provider || model === undefined || costCalculator.isPriced(provider.name, model)) continue;
      const entry = `prices.${provider.name}.${model}`;
      if (told.has(entry)) continue;
      told.add(entry);
      logger.warn(
        `no price is known for ${model} of ${name}: budgets in dollars do not hold for it; set ${entry}`,
        {
          model: id,
        },
      );
    }
  }
}
