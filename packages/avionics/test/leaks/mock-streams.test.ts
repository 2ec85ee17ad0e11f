import { AirframeError, type InferenceRequest } from '@x/airframe';
import { it } from 'vitest';
import { MockProvider, type MockReply } from '../../src/index.ts';
import { AT_ONCE, type Plan, type ProviderName, piecesOf } from './plan.ts';
import { Waves } from './waves.ts';

const WAVES = 4;
const MODELS: Record<ProviderName, string> = { openai: 'gpt-4', anthropic: 'claude-sonnet-4-5' };
const BUSY = new AirframeError('overloaded', 'busy');

/** What the backend of the other test does, without a socket. */
function answerTo({ messages = [] }: InferenceRequest, provider: ProviderName): MockReply {
  const [asked, soFar] = messages;
  const plan: Plan = JSON.parse(String(asked?.content));
  const { fate, pieces, cut, id } = plan;
  if (fate === 'down' || (fate === 'busy' && provider === 'openai')) return { error: BUSY };
  const from = soFar ? String(soFar.content).trim().split(' ').length : 0;
  const breaks = fate === 'reset' && provider === 'openai';
  const to = breaks ? (cut ?? 0) : pieces;
  return {
    chunks: piecesOf(id, from, to),
    usage: { promptTokens: plan.promptTokens + from },
    ...(breaks ? { error: new AirframeError('connection', 'reset') } : {}),
    ...(fate === 'abort' ? { chunkDelayMs: 60_000 } : {}),
  };
}

const mock = (name: ProviderName) =>
  new MockProvider({ name, model: MODELS[name], responses: request => answerTo(request, name) });

it(`has right totals and flat memory over ${WAVES} waves of ${AT_ONCE} streams at once, of mocks`, {
  timeout: 120_000,
}, async () => {
  const waves = new Waves({ openai: mock('openai'), anthropic: mock('anthropic') });
  await waves.expectFlat(WAVES, 24 * 1_024);
});
