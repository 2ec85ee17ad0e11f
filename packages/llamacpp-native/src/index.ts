export { type EngineName, type LlamaCppAdapterOptions, llamaCppAdapter } from './adapter.ts';
export type {
  ChatMessage,
  ChatPromptOptions,
  Engine,
  Generated,
  GenerateOptions,
  Grammar,
  LoadOptions,
  Model,
  ModelFacts,
  Sampling,
} from './engine.ts';
export { type LogSink, type NodeLlamaEngineOptions, nodeLlamaEngine } from './node-llama-engine.ts';
export type { LlamaCppExtra, LlamaCppOptions } from './request.ts';
export { defaultThreads } from './threads.ts';
