import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Adapter, AirframeError } from '@x/airframe';
import { AdapterProvider, type RequestDefaults } from './adapter-provider.ts';
import type { LLMProviderOptions } from './base.ts';
import { deferAdapter } from './deferred-adapter.ts';
import { defined } from './options.ts';

export interface LlamaCppProviderOptions extends LLMProviderOptions {
  /** Tokens of context. */
  contextTokens?: number;
  /** Layers on the GPU; -1: all of them. */
  gpuLayers?: number;
  threads?: number;
  /** Longest wait without progress, in milliseconds; 0: no limit. Default 120,000. */
  timeout?: number;
  /** Over the defaults, which are those of llama-server. */
  defaults?: RequestDefaults;
  /** false: no temperature is ever set. Default true. */
  sendTemperature?: boolean;
  /** The adapter, when several providers share one and with it the loaded model. */
  adapter?: Adapter;
}

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
    const { contextTokens, gpuLayers, threads, timeout = 120_000, defaults, adapter, ...shared } = options;
    super({
      ...shared,
      name: 'llamacpp',
      adapter: adapter ?? llamaCppNativeAdapter(),
      endpoint: {
        name: 'llamacpp',
        backendKind: 'llamacpp_native',
        baseUrl: pathToFileURL(resolve(modelPath)).href,
        timeouts: { headersMs: timeout, idleMs: timeout },
        options: defined({ contextTokens, gpuLayers: gpuLayers === -1 ? ALL_LAYERS : gpuLayers, threads }),
      },
      // Not loaded yet: the first call loads it.
      readyStates: ['healthy', 'unknown'],
      defaults: { ...DEFAULTS, ...defaults, extra: { ...DEFAULTS.extra, ...defaults?.extra } },
    });
  }
}

const PACKAGE = '@x/llamacpp-native';

/**
 * The adapter of the optional package, imported at its first use.
 * @param load for tests: another way to get at the package
 */
export function llamaCppNativeAdapter(load: () => Promise<Adapter> = importNative): Adapter {
  const capabilities = {
    streaming: true,
    rawPrompt: true,
    tools: false,
    images: false,
    reasoning: false,
    jsonSchema: true,
    seed: true,
    embed: false,
    countTokens: false,
    listModels: false,
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

async function importNative(): Promise<Adapter> {
  const { llamaCppAdapter } = await import('@x/llamacpp-native');
  return llamaCppAdapter();
}

function missingPackage(cause: unknown): AirframeError | undefined {
  const { code, message } = cause as NodeJS.ErrnoException;
  // A dependency of the package that is missing names the package too, but as the importer.
  if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`package '${PACKAGE}'`)) return undefined;
  const text = `provider llamacpp needs the package ${PACKAGE}, which is not installed; run: npm install ${PACKAGE}`;
  return new AirframeError('not_found', text, { code: 'package_missing', cause });
}
