export { type EngineName, type LlamaCppAdapterOptions, llamaCppAdapter } from './adapter.ts';
export type {
  ChatMessage,
  ChatPromptOptions,
  Embedding,
  Engine,
  Generated,
  GenerateOptions,
  Grammar,
  LoadOptions,
  Model,
  ModelFacts,
  Sampling,
} from './engine.ts';
export type { KvLayer } from './kv-layers.ts';
export type { LogSink } from './log-sinks.ts';
export { type ModelFile, readModelFile } from './model-file.ts';
export { type NodeLlamaEngineOptions, nodeLlamaEngine } from './node-llama-engine.ts';
export type { LlamaCppModelInfo } from './operations.ts';
export type { LlamaCppExtra, LlamaCppOptions } from './request.ts';
export { defaultThreads } from './threads.ts';
