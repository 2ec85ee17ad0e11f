import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Adapter, AirframeError } from '@x/airframe';
import { AdapterProvider, type RequestDefaults } from './adapter-provider.ts';
import type { LLMProviderOptions } from './base.ts';
import { deferAdapter } from './deferred-adapter.ts';
import { defined } from './options.ts';

/** What the provider of llama.cpp in this process takes. */
export interface LlamaCppProviderOptions extends LLMProviderOptions {
  /** Tokens of context. */
  contextTokens?: number;
  /** Layers on the GPU; -1: all of them. */
  gpuLayers?: number;
  threads?: number;
  /** Unloads the model when no call has used it for so long, in milliseconds; 0: never. Default 0. */
  idleUnloadMs?: number;
  /** false: loads the model even if it seems not to fit into memory. Default true. */
  checkMemory?: boolean;
  /** `process`: llama.cpp runs in a process of its own, which may crash without this one. Default `none`. */
  isolation?: 'none' | 'process';
  /** How much of the model is loaded, 0 to 1. Of no use with `adapter`: give it to that. */
  onLoadProgress?: OnLoadProgress;
  /** Longest wait without progress, in milliseconds; 0: no limit. Default 120,000. */
  timeout?: number;
  /** Over the defaults, which are those of llama-server. */
  defaults?: RequestDefaults;
  /** false: no temperature is ever set. Default true. */
  sendTemperature?: boolean;
  /** The adapter, when several providers share one and with it the loaded model. */
  adapter?: Adapter;
}

/**
 * Is told how far a model is loaded.
 * @param fraction of the model that is loaded, 0 to 1
 */
export type OnLoadProgress = (fraction: number, modelPath: string) => void;

/** More layers than any model has. */
const ALL_LAYERS = 1_000;

const DEFAULTS: RequestDefaults = {
  temperature: 0.7,
  maxTokens: 512,
  topP: 0.95,
  extra: { top_k: 40, repeat_penalty: 1.1 },
};

/** llama.cpp in this process. The model and the native binding are loaded at the first call. */
export class LlamaCppProvider extends AdapterProvider {
  /** @param modelPath a GGUF file */
  constructor(modelPath: string, options: LlamaCppProviderOptions = {}) {
    const { timeout = 120_000, defaults, adapter, onLoadProgress, sendTemperature, ...rest } = options;
    const { logger, costCalculator, gpuLayers, ...engine } = rest;
    super({
      ...defined({ logger, costCalculator, sendTemperature }),
      name: 'llamacpp',
      adapter: adapter ?? llamaCppNativeAdapter(defined({ onLoadProgress })),
      endpoint: {
        name: 'llamacpp',
        backendKind: 'llamacpp_native',
        baseUrl: pathToFileURL(resolve(modelPath)).href,
        timeouts: { headersMs: timeout, idleMs: timeout },
        options: defined({ ...engine, gpuLayers: gpuLayers === -1 ? ALL_LAYERS : gpuLayers }),
      },
      // Not loaded yet: the first call loads it.
      readyStates: ['healthy', 'unknown'],
      defaults: { ...DEFAULTS, ...defaults, extra: { ...DEFAULTS.extra, ...defaults?.extra } },
      advice: {
        out_of_memory:
          'use a smaller quantisation, or less context (LLAMACPP_N_CTX), or set LLAMACPP_CHECK_MEMORY=false to try all the same',
      },
    });
  }
}

const PACKAGE = '@x/llamacpp-native';

export interface NativeAdapterOptions {
  onLoadProgress?: OnLoadProgress;
  /** For tests: another way to get at the package. */
  load?: () => Promise<Adapter>;
}

/** The adapter of the optional package, imported at its first use. */
export function llamaCppNativeAdapter(options: NativeAdapterOptions = {}): Adapter {
  const { onLoadProgress, load = () => importNative(defined({ onLoadProgress })) } = options;
  // What each of its engines can do.
  const capabilities = {
    streaming: true,
    rawPrompt: true,
    tools: true,
    images: false,
    reasoning: false,
    jsonSchema: true,
    seed: true,
    embed: true,
    countTokens: true,
    listModels: true,
    health: true,
  };
  return deferAdapter({ kind: 'llamacpp_native', capabilities }, async () => {
    try {
      return await load();
    } catch (cause) {
      throw missingPackage(cause) ?? cause;
    }
  });
}

async function importNative(options: Pick<NativeAdapterOptions, 'onLoadProgress'>): Promise<Adapter> {
  const { llamaCppAdapter } = await import('@x/llamacpp-native');
  return llamaCppAdapter(options);
}

function missingPackage(cause: unknown): AirframeError | undefined {
  const { code, message } = cause as NodeJS.ErrnoException;
  // A dependency of the package that is missing names the package too, but as the importer.
  if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`package '${PACKAGE}'`)) return undefined;
  const text = `provider llamacpp needs the package ${PACKAGE}, which is not installed; run: npm install ${PACKAGE}`;
  return new AirframeError('not_found', text, { code: 'package_missing', cause });
}
