import type { Observation } from '../observe.ts';
import type { Invariant } from './invariant.ts';

/** What the adapter says about itself. */
export const MANIFEST: readonly Invariant[] = [{ id: 'manifest-is-true', check: manifestProblem }];

function manifestProblem({ adapter }: Observation): string | undefined {
  const { capabilities } = adapter;
  const keys = [
    'streaming',
    'rawPrompt',
    'tools',
    'images',
    'reasoning',
    'jsonSchema',
    'seed',
    'embed',
    'countTokens',
    'listModels',
    'health',
  ] as const;
  const missing = keys.find(key => typeof capabilities[key] !== 'boolean');
  if (missing) return `capabilities.${missing} is neither true nor false`;
  const wrong = (['embed', 'countTokens', 'listModels'] as const).find(
    key => capabilities[key] !== (typeof adapter[key] === 'function'),
  );
  return wrong && `capabilities.${wrong} is ${capabilities[wrong]}, and the method says otherwise`;
}
