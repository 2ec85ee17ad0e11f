export {
  CostCalculator,
  type CostCalculatorOptions,
  type CostMetrics,
  calculateCost,
  getCostCalculator,
  type TokenParts,
} from './cost/calculator.ts';
export { type CostEstimate, type RequestSize, sizeOfRequest } from './cost/estimate.ts';
export { CostSum, formatUsd, fromNanoUsd, toNanoUsd } from './cost/money.ts';
export type { ModelPrice, PriceTable, PriceTier, TokenPrice } from './cost/price.ts';
export type { ProviderBuildOptions } from './factory/build.ts';
export type { ProviderPlan } from './factory/plan.ts';
export {
  createAgentProvider,
  createLLMProvider,
  LLMFactory,
  type LLMFactoryOptions,
} from './factory.ts';
export {
  type CacheStore,
  MemoryCacheStore,
  type ResponseCacheOptions,
} from './gateway/cache.ts';
export type { CompletionStream } from './gateway/chunk-stream.ts';
export type { EmbeddingRequest, EmbeddingResponse } from './gateway/embed.ts';
export {
  type CallTarget,
  LLMGateway,
  type LLMGatewayOptions,
  type Route,
  type StreamingCallback,
} from './gateway/gateway.ts';
export type { Percentiles } from './gateway/histogram.ts';
export type { ResourceCallback } from './gateway/meter.ts';
export type {
  CallsOf,
  CompletionOptions,
  CompletionRequest,
  MidStreamPolicy,
  ObjectOf,
  RequestMetadata,
} from './gateway/request.ts';
export type {
  BilledTokens,
  CacheOutcome,
  CallProgress,
  LLMResponse,
  ProviderAttempt,
  ResponseMetadata,
  Seam,
  SilentOutput,
  SkippedProvider,
  StreamingChunk,
} from './gateway/response.ts';
export type { Schema, SchemaOutput } from './gateway/schema.ts';
export type { GatewayAgentStats, GatewayProviderStats, GatewayStats } from './gateway/stats.ts';
export type { StreamResponseOptions } from './gateway/stream-response.ts';
export type { GatewayTool, ToolCallOf } from './gateway/tools.ts';
export {
  type Amounts,
  type CallLimiter,
  type LimitedCall,
  Limiter,
  type LimiterOptions,
  type Reservation,
} from './limits/limiter.ts';
export type { RejectionCause } from './limits/rejection.ts';
export type { LimitRule } from './limits/rules.ts';
export type { LimitUsage } from './limits/usage.ts';
export { type LogFields, type Logger, loggerOf, silentLogger } from './logger.ts';
export { createAgentProviderWithNodeAwareness } from './nodes/create.ts';
export type { EjectionOptions, EjectionState } from './nodes/ejection.ts';
export type { RouteOutcome, RouterNode } from './nodes/node-state.ts';
export type { RouteDecision, RouteInferOptions } from './nodes/node-tries.ts';
export {
  type AcquireOptions,
  type LeaseReasons,
  type NodeLease,
  NodePool,
  type NodePoolOptions,
} from './nodes/pool.ts';
export { NodePoolProvider, type NodePoolProviderOptions } from './nodes/pool-provider.ts';
export type { PromptPrefix } from './nodes/prefix.ts';
export type { NodeProfile } from './nodes/profiles.ts';
export type {
  Assignment,
  HomeWait,
  NodeOut,
  NodeSnapshot,
  Refusal,
  Refused,
  RouteReasons,
  RouteRequest,
  RouteResult,
  Waiting,
} from './nodes/route.ts';
export { NodeRouter, type NodeRouterOptions } from './nodes/router.ts';
export { STRATEGIES, type Strategy } from './nodes/strategies.ts';
export {
  AdapterProvider,
  type AdapterProviderOptions,
  type RequestDefaults,
} from './providers/adapter-provider.ts';
export { AnthropicProvider, type AnthropicProviderOptions } from './providers/anthropic.ts';
export { AzureAIFoundryProvider, type AzureAIFoundryProviderOptions } from './providers/azure.ts';
export {
  LLMProvider,
  type LLMProviderOptions,
  type TokenChunk,
  type TokenChunkMetadata,
} from './providers/base.ts';
export type { CloudProviderOptions } from './providers/cloud.ts';
export {
  LLAMA_SERVER_DEFAULTS,
  LlamaServerProvider,
  type LlamaServerProviderOptions,
} from './providers/llama-server.ts';
export type { LlamaCppProviderOptions, OnLoadProgress } from './providers/llamacpp.ts';
export { MockProvider, type MockProviderOptions } from './providers/mock.ts';
export type { MockAnswer, MockReply, MockScript } from './providers/mock-reply.ts';
export { OpenAIProvider, type OpenAIProviderOptions } from './providers/openai.ts';
export type { GenerateOptions, Prompt } from './providers/options.ts';
export type { ProviderStats } from './providers/stats.ts';
export type { BreakerOptions, BreakerState } from './routing/breaker.ts';
export {
  type AgentConfig,
  type AgentSettings,
  agentVariableNames,
  registerAgents,
  resolveAgent,
} from './settings/agents.ts';
export {
  type ModelAlias,
  type ModelAliases,
  type ResolvedModel,
  resolveModel,
} from './settings/aliases.ts';
export { type ListedAgent, listAgents } from './settings/choice.ts';
export { logLLMConfig } from './settings/log.ts';
export {
  getSettings,
  readSettings,
  reloadSettings,
  resetSettings,
  type Settings,
  setSettings,
} from './settings/settings.ts';
export {
  type Environment,
  PROVIDER_TYPES,
  type ProviderType,
  SettingsError,
  type SettingsProblem,
} from './settings/variables.ts';
export { FailOpenStore } from './store/fail-open.ts';
export { MemoryStore, type MemoryStoreOptions } from './store/memory.ts';
export type { ReplicaStore } from './store/replica-store.ts';
export {
  type Charge,
  type ClaimReply,
  isStoreError,
  type ReserveReply,
  type ReserveRequest,
  type Settlement,
  type Store,
  type WindowLength,
  type WindowState,
} from './store/store.ts';
export type { AttemptEnd, AttemptTelemetry, RouteFacts } from './telemetry/attempt.ts';
export type { AnyRequest } from './telemetry/attributes.ts';
export {
  ATTRIBUTES,
  type Fact,
  type Facts,
  METRICS,
  type Metric,
  type MetricSpec,
} from './telemetry/names.ts';
export type { AttemptInfo, OperationInfo, OperationTelemetry } from './telemetry/operation.ts';
export { Telemetry, type TelemetryOptions } from './telemetry/telemetry.ts';
