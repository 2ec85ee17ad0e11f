import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Adapter,
  defineAdapter,
  type InferenceCall,
  type InferenceRequest,
  type Reply,
} from '@x/airframe';
import { AdapterProvider } from './adapter-provider.ts';
import type { LLMProviderOptions } from './base.ts';
import { mockVector } from './mock-embedding.ts';
import {
  chunksOf,
  type MockReply,
  type MockScript,
  promptTokensOf,
  scriptedReply,
  tokensOf,
} from './mock-reply.ts';

/** What {@link MockProvider} takes. */
export interface MockProviderOptions extends LLMProviderOptions {
  /** Default: an answer that repeats the prompt. */
  responses?: MockScript;
  /** The vector of a text; what it throws fails the call. Default: one of length 1 that only the text decides. */
  embeddings?: (text: string, dimensions: number) => number[];
  /** Default `mock`. Another name takes another provider's place, e.g. in tests of prices. */
  name?: string;
  /** Model that says it answered. Default `mock`. */
  model?: string;
  /** What `healthCheck` finds. Default true. */
  healthy?: boolean;
}

/** How many requests a mock remembers. */
const MAX_REMEMBERED = 100;

/** Answers without a model, the same way each time, and keeps the whole stream contract: for tests and demos. */
export class MockProvider extends AdapterProvider {
  readonly #requests: InferenceRequest[];

  constructor(options: MockProviderOptions = {}) {
    const { responses, embeddings = mockVector, name = 'mock', model = 'mock', ...rest } = options;
    const { healthy = true, ...shared } = rest;
    const requests: InferenceRequest[] = [];
    super({
      ...shared,
      name,
      adapter: mockAdapter({ responses, embeddings, model, healthy, requests }),
      endpoint: { name, backendKind: 'mock', baseUrl: 'file:///mock' },
    });
    this.#requests = requests;
  }

  /** The requests that came, oldest first; the last 100. */
  get requests(): readonly InferenceRequest[] {
    return this.#requests;
  }
}

interface MockAdapterOptions {
  responses: MockScript | undefined;
  embeddings: (text: string, dimensions: number) => number[];
  model: string;
  healthy: boolean;
  requests: InferenceRequest[];
}

/** Length of a vector when nobody says. */
const DIMENSIONS = 8;

function mockAdapter(options: MockAdapterOptions): Adapter {
  const { responses, embeddings, model, healthy, requests } = options;
  let calls = 0;
  return defineAdapter({
    kind: 'mock',
    capabilities: {
      streaming: true,
      rawPrompt: true,
      tools: true,
      images: true,
      reasoning: true,
      jsonSchema: false,
      seed: true,
    },
    infer: (call, reply) => {
      requests.push(call.request);
      if (requests.length > MAX_REMEMBERED) requests.shift();
      const answer = scriptedReply(responses, call.request, calls++);
      reply.identify({ model: answer.model ?? model });
      return play(answer, call, reply);
    },
    health: async () => (healthy ? 'healthy' : 'unhealthy'),
    embed: async ({ request }) => {
      const { input, dimensions = DIMENSIONS } = request;
      const texts = [input].flat();
      const promptTokens = texts.reduce((sum, text) => sum + tokensOf(text), 0);
      return {
        embeddings: texts.map(text => embeddings(text, dimensions)),
        model,
        usage: { promptTokens, completionTokens: 0, totalTokens: promptTokens, source: 'reported' },
      };
    },
    countTokens: async ({ request }) => ({ tokens: promptTokensOf(request), exact: true }),
    listModels: async () => [{ id: model }],
  });
}

async function* play(answer: MockReply, call: InferenceCall, reply: Reply): AsyncGenerator<void> {
  const promptTokens = promptTokensOf(call.request);
  await pause(answer.delayMs, 'headers', call);
  let tokens = 0;
  const count = () => {
    call.signal.throwIfAborted();
    reply.usage({ promptTokens, completionTokens: ++tokens, ...answer.usage });
  };
  if (answer.reasoning) {
    count();
    reply.reasoning(answer.reasoning);
    yield;
  }
  const chunks = chunksOf(answer);
  const limit = call.request.maxTokens ?? Number.POSITIVE_INFINITY;
  for (const [index, chunk] of chunks.slice(0, limit).entries()) {
    if (index > 0) await pause(answer.chunkDelayMs, 'idle', call);
    count();
    reply.text(chunk);
    yield;
  }
  for (const fragment of answer.toolCalls ?? []) {
    count();
    reply.toolCall(fragment);
    yield;
  }
  if (answer.usage) reply.usage(answer.usage);
  if (answer.error) throw answer.error;
  if (answer.cut) return;
  if (tokens === 0) reply.usage({ promptTokens, completionTokens: 0, ...answer.usage });
  reply.finish(answer.finishReason ?? (chunks.length > limit ? 'length' : 'stop'));
}

async function pause(ms: number | undefined, phase: 'headers' | 'idle', call: InferenceCall): Promise<void> {
  if (!ms) return;
  call.deadlines.enter(phase);
  await sleep(ms, undefined, { signal: call.signal });
  call.deadlines.pause();
}
