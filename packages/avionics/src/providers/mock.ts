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
import { chunksOf, type MockReply, type MockScript, scriptedReply } from './mock-reply.ts';

export interface MockProviderOptions extends LLMProviderOptions {
  /** Default: an answer that repeats the prompt. */
  responses?: MockScript;
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
    const { responses, name = 'mock', model = 'mock', healthy = true, ...shared } = options;
    const requests: InferenceRequest[] = [];
    super({
      ...shared,
      name,
      adapter: mockAdapter({ responses, model, healthy, requests }),
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
  model: string;
  healthy: boolean;
  requests: InferenceRequest[];
}

function mockAdapter({ responses, model, healthy, requests }: MockAdapterOptions): Adapter {
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
  });
}

async function* play(answer: MockReply, call: InferenceCall, reply: Reply): AsyncGenerator<void> {
  const promptTokens = Math.ceil(JSON.stringify(call.request.messages ?? call.request.prompt).length / 4);
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
