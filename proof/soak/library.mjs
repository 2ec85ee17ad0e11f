// The library under the soak, in a process of its own: `LLMGateway` over two providers with a limiter.
// It answers `{ from, to }` by making the calls of these numbers, and `'rest'` by what it has in use.
import { getEventListeners } from 'node:events';
import { answerParent } from '../../bench/child.mjs';
import {
  CostCalculator,
  Limiter,
  LLMGateway,
  OpenAIProvider,
  readSettings,
} from '../../packages/avionics/dist/index.js';
import { endingOf, PRICE } from './plan.mjs';
import { inUse } from './resources.mjs';
import { paced } from './traffic.mjs';

/** Only the calls that stall come to it. */
const TIMEOUT_MS = 3_000;

const [url] = process.argv.slice(2);
const prices = { openai: { 'up-model': PRICE } };
const costCalculator = new CostCalculator({ prices });
const provider = path =>
  new OpenAIProvider({
    ...{ baseUrl: `${url}${path}/v1`, apiKey: 'soak', model: 'up-model', timeout: TIMEOUT_MS, maxRetries: 1 },
    costCalculator,
  });
const limiter = new Limiter({
  rules: [{ name: 'soak', scope: 'all', window: 'month', tokens: 1e12, usd: 1e9 }],
});
const gateway = new LLMGateway(readSettings({ LLM_PROVIDER: 'openai', OPENAI_API_KEY: 'none' }), {
  providers: { openai: provider('/a'), second: provider('/b') },
  fallbackProviders: ['second'],
  breaker: { failures: Number.POSITIVE_INFINITY },
  limiter,
});

const shared = new AbortController();

/** @returns how it ended */
async function call(plan, isStream) {
  const own = new AbortController();
  const signal = endingOf(plan) === 'left' ? own.signal : shared.signal;
  const request = { prompt: JSON.stringify(plan), agentName: 'soak', signal };
  if (plan.fate === 'before') setTimeout(() => own.abort(), 30);
  try {
    // A call that does not stream cannot be left after some pieces of its answer.
    if (!isStream && plan.fate !== 'leave') return (await gateway.complete(request)) && 'whole';
    let pieces = 0;
    for await (const chunk of gateway.completeStream(request)) {
      if (chunk.text !== '') pieces += chunk.text.trim().split(' ').length;
      if (plan.fate === 'leave' && pieces >= plan.cut) return 'left';
    }
    return 'whole';
  } catch {
    return own.signal.aborted ? 'left' : 'failed';
  }
}

const calls = span => paced(span, (plan, id) => call(plan, id % 2 === 0));

async function rest() {
  const { inFlight, totalTokens } = gateway.getStats();
  const limits = (await limiter.usage()).map(({ unit, spent, reserved }) => ({ unit, spent, reserved }));
  const listeners = getEventListeners(shared.signal, 'abort').length;
  return { ...inUse(), inFlight, totalTokens, limits, listeners };
}

answerParent(true, message => (message === 'rest' ? rest() : calls(message)));
