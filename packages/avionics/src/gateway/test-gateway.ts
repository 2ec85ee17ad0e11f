// For the tests of the gateway: mocks behind it, and readers in front.
import { CostCalculator } from '../cost/calculator.ts';
import { MockProvider, type MockProviderOptions } from '../providers/mock.ts';
import { getSettings } from '../settings/settings.ts';
import { LLMGateway, type LLMGatewayOptions } from './gateway.ts';
import type { StreamingChunk } from './response.ts';

type Script = MockProviderOptions['responses'];

const costCalculator = new CostCalculator({
  prices: {
    main: { mock: { prompt: 0.01, completion: 0.02 } },
    backup: { mock: { prompt: 1, completion: 1 } },
  },
});

/** A gateway whose llamaserver is the mock `main`, with the mock `backup` behind it where that has a script. */
export function mockedGateway(
  scripts: { main?: Script; backup?: Script },
  options: LLMGatewayOptions = {},
): { gateway: LLMGateway; main: MockProvider; backup: MockProvider } {
  const mock = (name: string, responses: Script) =>
    new MockProvider({ name, costCalculator, ...(responses ? { responses } : {}) });
  const main = mock('main', scripts.main);
  const backup = mock('backup', scripts.backup);
  const gateway = new LLMGateway(getSettings({}), {
    providers: { llamaserver: main, backup },
    fallbackProviders: scripts.backup ? ['backup'] : [],
    ...options,
  });
  return { gateway, main, backup };
}

/** All chunks that come, and the error behind them. */
export async function readAll(
  stream: AsyncIterable<StreamingChunk>,
): Promise<{ chunks: StreamingChunk[]; text: string; error?: unknown }> {
  const chunks: StreamingChunk[] = [];
  const text = () => chunks.map(chunk => chunk.text).join('');
  try {
    for await (const chunk of stream) chunks.push(chunk);
  } catch (error) {
    return { chunks, text: text(), error };
  }
  return { chunks, text: text() };
}
