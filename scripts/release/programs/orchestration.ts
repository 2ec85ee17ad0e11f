// Orchestration: the gateway over a mock that stands for a priced model.
import { calculateCost, LLMGateway, MockProvider, readSettings } from '@x/avionics';

async function main(): Promise<void> {
  const gateway = new LLMGateway(readSettings({ LLM_PROVIDER: 'mock' }), {
    providers: { mock: new MockProvider({ responses: ['Four.'] }) },
  });
  const { text, provider, tokensUsed } = await gateway.complete({ prompt: 'What is 2+2?' });
  const { costUsd } = calculateCost('openai', 'gpt-4o', 10_000, 1000);
  console.log(`${text}|${provider}|${tokensUsed} tokens|$${costUsd.toFixed(6)}`);
  await gateway.close();
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
