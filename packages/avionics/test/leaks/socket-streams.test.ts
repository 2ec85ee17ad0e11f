import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BackendProcess, startBackendProcess } from '../../../../test/backend-process.ts';
import { activeResources, until } from '../../../../test/resources.ts';
import { AnthropicProvider, OpenAIProvider } from '../../src/index.ts';
import { AT_ONCE, type ProviderName } from './plan.ts';
import { Waves } from './waves.ts';

const WAVES = 3;

type Tokens = Record<'promptTokens' | 'completionTokens', number>;

interface Figures {
  open: number;
  sockets: number;
  providers: Record<ProviderName, Tokens>;
  agents: Record<string, Tokens>;
}

let backend: BackendProcess<Figures>;
beforeAll(async () => {
  backend = await startBackendProcess<Figures>(new URL('server.mjs', import.meta.url));
});
afterAll(() => backend.stop());

it(`has right totals and flat memory over ${WAVES} waves of ${AT_ONCE} streams at once, over sockets`, {
  timeout: 120_000,
}, async () => {
  const options = { apiKey: 'none', maxRetries: 1 };
  const providers = {
    openai: new OpenAIProvider({ ...options, baseUrl: `${backend.url}/v1`, model: 'gpt-4' }),
    anthropic: new AnthropicProvider({ ...options, baseUrl: backend.url, model: 'claude-sonnet-4-5' }),
  };
  const waves = new Waves(providers, {
    begins: () => backend.tell({ hold: true }),
    allBegun: async () => {
      const { open, sockets } = await backend.figures();
      expect({ open, sockets }).toEqual({ open: AT_ONCE, sockets: AT_ONCE });
      backend.tell({ release: true });
    },
    breakOff: reset => backend.tell({ reset }),
    over: () =>
      until(async () => activeResources('TCPSocketWrap') === 0 && (await backend.figures()).sockets === 0),
  });
  await waves.expectFlat(WAVES, 48 * 1_024);
  const sent = await backend.figures();
  expect(waves.books).toMatchObject({ providers: sent.providers, agents: sent.agents });
  await Promise.all(Object.values(providers).map(provider => provider.close()));
});
