import type { Hello } from '@x/console/contract';

/** What the scripted gateway is configured with. */
export const HELLO: Hello = {
  version: '0.1.0',
  replica: 'scripted-1',
  startedAt: Date.now(),
  capture: true,
  models: [
    {
      id: 'pilot',
      targets: [
        { provider: 'local', model: 'qwen3-8b', type: 'llamaserver' },
        { provider: 'openai', model: 'gpt-5-mini', type: 'openai' },
      ],
      price: { prompt: 0, completion: 0 },
    },
    {
      id: 'smart',
      targets: [
        { provider: 'anthropic', model: 'claude-sonnet-5', type: 'anthropic' },
        { provider: 'openai', model: 'gpt-5', type: 'openai' },
      ],
      price: { prompt: 0.003, completion: 0.015 },
    },
    { id: 'fast', targets: [{ provider: 'openai', model: 'gpt-5-mini', type: 'openai' }] },
    { id: 'breaks', targets: [{ provider: 'openai', type: 'openai' }] },
    { id: 'refuses', targets: [{ provider: 'openai', type: 'openai' }] },
  ],
  providers: ['local', 'openai', 'anthropic'],
  keys: ['web', 'ci', 'batch', 'playground'],
};

export const NODES = ['gpu-1', 'gpu-2', 'gpu-3'] as const;
export const SLOTS = 4;
