import type { Attributes, AttributeValue, MetricOptions } from '@opentelemetry/api';

/**
 * Every name that telemetry writes. `gen_ai.*`, `openai.*`, `server.*`, `error.*`, `http.*`: OpenTelemetry semantic
 * conventions v1.41.1, docs/gen-ai (2026-05-11; status Development, nothing of it is stable). `avionics.*`: our own.
 */
export const ATTRIBUTES = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  agent: 'gen_ai.agent.name',
  errorType: 'error.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  httpStatus: 'http.response.status_code',

  requestModel: 'gen_ai.request.model',
  stream: 'gen_ai.request.stream',
  maxTokens: 'gen_ai.request.max_tokens',
  temperature: 'gen_ai.request.temperature',
  topP: 'gen_ai.request.top_p',
  topK: 'gen_ai.request.top_k',
  frequencyPenalty: 'gen_ai.request.frequency_penalty',
  presencePenalty: 'gen_ai.request.presence_penalty',
  stopSequences: 'gen_ai.request.stop_sequences',
  seed: 'gen_ai.request.seed',
  choiceCount: 'gen_ai.request.choice.count',
  outputType: 'gen_ai.output.type',
  dimensions: 'gen_ai.embeddings.dimension.count',
  requestServiceTier: 'openai.request.service_tier',

  responseId: 'gen_ai.response.id',
  responseModel: 'gen_ai.response.model',
  finishReasons: 'gen_ai.response.finish_reasons',
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  responseServiceTier: 'openai.response.service_tier',

  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cachedTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  tokenType: 'gen_ai.token.type',

  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  systemInstructions: 'gen_ai.system_instructions',
  toolDefinitions: 'gen_ai.tool.definitions',

  /** The provider's name in settings, which `gen_ai.provider.name` translates. */
  providerType: 'avionics.provider.type',
  /** true: the backend gave no figures (yet), these are ours. */
  usageEstimated: 'avionics.usage.estimated',
  costUsd: 'avionics.cost.usd',
  /** false: the model's price is unknown, and the cost lacks it. */
  priced: 'avionics.cost.priced',
  /** 1 for the first attempt of an operation. */
  attempt: 'avionics.attempt.number',
  /** Times that the transport sent an attempt again. */
  retries: 'avionics.attempt.retries',
  /** Of an operation. */
  attempts: 'avionics.attempts',
  /** Provider whose failure led to this attempt. */
  fallbackFrom: 'avionics.fallback.from',
  /** Category of that failure. */
  fallbackReason: 'avionics.fallback.reason',
  node: 'avionics.node.name',
  /** `closed`, `open`, `half_open`. */
  breaker: 'avionics.breaker.state',
  /** Providers passed over because their circuits are open. */
  skipped: 'avionics.breaker.skipped',
  /** `hit`, `shared`, `miss`. */
  cache: 'avionics.cache',
  /** USD that an answer from the cache cost when it was made. */
  savedUsd: 'avionics.cache.saved_usd',
  /** The limit that refused the call. */
  limit: 'avionics.limit.name',
  /** Milliseconds until the limit lets calls through again. */
  limitRetryMs: 'avionics.limit.retry_ms',
  /** Places where an answer was taken up or begun anew. */
  seams: 'avionics.seams',
} as const;

/** What a router had in mind stands under this prefix, e.g. `avionics.route.why`; a span event for each decision. */
export const ROUTE = 'avionics.route';

/** A key of {@link ATTRIBUTES}. */
export type Fact = keyof typeof ATTRIBUTES;

/** Values under the keys of {@link ATTRIBUTES}; what is undefined is left out. */
export type Facts = { [Key in Fact]?: AttributeValue | undefined };

/** The same under their names in telemetry. */
export function named(facts: Facts): Attributes {
  const attributes: Attributes = {};
  for (const key in facts) {
    const value = facts[key as Fact];
    if (value !== undefined) attributes[ATTRIBUTES[key as Fact]] = value;
  }
  return attributes;
}

/** A metric's name, and how it is made. */
export type MetricSpec = MetricOptions & { name: string };

/** A key of {@link METRICS}. */
export type Metric = 'duration' | 'timeToFirstChunk' | 'timePerChunk' | 'tokens' | 'operation' | 'cost';

/** 0.01, 0.02, 0.04, … */
const SECONDS = Array.from({ length: 14 }, (_, power) => 0.01 * 2 ** power);
/** 1, 4, 16, … */
const TOKENS = Array.from({ length: 14 }, (_, power) => 4 ** power);

const seconds = (name: string, description: string): MetricSpec => ({
  name,
  description,
  unit: 's',
  advice: { explicitBucketBoundaries: SECONDS },
});

/** Units, and boundaries where the conventions give them. All histograms but the cost, which is a counter. */
export const METRICS: Readonly<Record<Metric, MetricSpec>> = {
  duration: seconds('gen_ai.client.operation.duration', 'Duration of a call to a provider'),
  timeToFirstChunk: seconds(
    'gen_ai.client.operation.time_to_first_chunk',
    'Time from a call to the first piece of its answer',
  ),
  timePerChunk: seconds(
    'gen_ai.client.operation.time_per_output_chunk',
    'Time between two pieces of a streamed answer',
  ),
  tokens: {
    name: 'gen_ai.client.token.usage',
    description: 'Tokens of a call to a provider, as the provider reports them',
    unit: '{token}',
    advice: { explicitBucketBoundaries: TOKENS },
  },
  /** What the caller waits for: all attempts together, answers from the cache and refusals included. */
  operation: seconds('avionics.operation.duration', 'Duration of an operation, all its attempts together'),
  cost: {
    name: 'avionics.client.cost',
    description: 'Money that calls to providers cost, as far as prices are known',
    unit: '{USD}',
  },
};

/** Our names of providers → those of the conventions. Any other goes through as it is, which they allow. */
export const PROVIDER_NAMES: Readonly<Record<string, string>> = {
  llamaserver: 'llama.cpp',
  llamacpp: 'llama.cpp',
  azure: 'azure.ai.openai',
  bedrock: 'aws.bedrock',
  gemini: 'gcp.gemini',
  google: 'gcp.gen_ai',
  mistral: 'mistral_ai',
  vertex: 'gcp.vertex_ai',
  watsonx: 'ibm.watsonx.ai',
  xai: 'x_ai',
};
