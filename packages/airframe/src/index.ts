export {
  type Adapter,
  type AdapterDefinition,
  type Call,
  type Capabilities,
  type ChatCapabilities,
  defineAdapter,
  type InferenceCall,
  type InferOptions,
} from './adapter.ts';
export { type AnthropicExtra, anthropicMessagesAdapter } from './adapters/anthropic-messages/index.ts';
export {
  type AzureOpenAIAdapterOptions,
  type AzureOpenAIEndpointOptions,
  azureOpenAIAdapter,
  type GetToken,
} from './adapters/azure-openai/index.ts';
export {
  type LlamaServerExtra,
  llamaServerAdapter,
  llamaServerDefinition,
} from './adapters/llama-server/index.ts';
export {
  type OpenAIChatAdapterOptions,
  type OpenAIChatEndpointOptions,
  type OpenAIChatExtra,
  openAIChatAdapter,
} from './adapters/openai-chat/index.ts';
export {
  type OpenAIResponsesAdapterOptions,
  type OpenAIResponsesEndpointOptions,
  type OpenAIResponsesExtra,
  openAIResponsesAdapter,
} from './adapters/openai-responses/index.ts';
export type { Reply, ReportedUsage } from './assemble/reply.ts';
export type { ToolCallFragment } from './assemble/tool-calls.ts';
export { AirframeClient, type AirframeClientOptions } from './client.ts';
export { CollectError, collect, type InferenceResult } from './collect.ts';
export {
  type BackendKind,
  backendKindSchema,
  type CapacityHints,
  capacityHintsSchema,
  DEFAULT_TIMEOUTS,
  type EndpointSpec,
  endpointSpecSchema,
  HEALTH_STATES,
  type HealthReport,
  type HealthState,
  healthStateSchema,
  KNOWN_BACKEND_KINDS,
  resolveTimeouts,
  type Timeouts,
  timeoutsSchema,
} from './endpoint.ts';
export {
  AirframeError,
  type AirframeErrorOptions,
  type Attempt,
  ERROR_CATEGORIES,
  type ErrorCategory,
  isAirframeError,
  MAX_RAW_CHARS,
} from './errors.ts';
export {
  type AssistantMessage,
  type DoneEvent,
  type ErrorEvent,
  type FinishReason,
  type InferenceStreamEvent,
  isOutput,
  type MessageEvent,
  type RateLimit,
  type RateLimits,
  type ReasoningEvent,
  type ReasoningPart,
  type StreamEventType,
  type Timings,
  type TokenEvent,
  type ToolCall,
  type ToolCallDeltaEvent,
  type ToolCallEvent,
  type Usage,
} from './events.ts';
export { type HealthChange, HealthMonitor, type HealthMonitorOptions } from './health/health-monitor.ts';
export { HttpHealthProbe, type HttpHealthProbeOptions } from './health/http-health-probe.ts';
export {
  type EmbedRequest,
  type EmbedResult,
  embedRequestSchema,
  type ModelInfo,
  type TokenCount,
} from './operations.ts';
export type { EndpointRegistry, RegistryChange, RegistryWatch } from './registry/registry.ts';
export { StaticRegistry } from './registry/static-registry.ts';
export {
  type ImagePart,
  type InferenceRequest,
  inferenceRequestSchema,
  type Message,
  type PromptCacheOptions,
  type ReasoningOptions,
  type RequestOptions,
  type ResponseFormat,
  type SystemMessage,
  type TextPart,
  type ToolChoice,
  type ToolMessage,
  type ToolSpec,
  type UserMessage,
} from './request.ts';
export { END, type InferenceStream, SerialStream, type Step } from './serial-stream.ts';
export type { CallSignal, DeadlinePhase, Deadlines, Ending } from './transport/deadline.ts';
export {
  type ExchangeOptions,
  exchange,
  exchangeJson,
  type HttpCall,
  type StreamReader,
} from './transport/exchange.ts';
export type { ErrorFacts, ErrorReader } from './transport/failure.ts';
export {
  createHttp,
  type HttpFn,
  type HttpOptions,
  type HttpRequest,
  type HttpResponse,
} from './transport/http.ts';
export { redact } from './transport/redact.ts';
export { parseRetryAfter } from './transport/retry-after.ts';
export { type SseEvent, SseParser } from './transport/sse.ts';
export { check, describeIssues } from './validate.ts';
export { withRetry } from './wrap/retry.ts';
export type { RetryOptions } from './wrap/retry-schedule.ts';
