import { type Adapter, llamaServerAdapter, withRetry } from '@x/airframe';
import { AdapterProvider, type AdapterProviderOptions, type RequestDefaults } from './adapter-provider.ts';
import type { LLMProviderOptions } from './base.ts';

/** What {@link LlamaServerProvider} takes beside the address. */
export interface LlamaServerProviderOptions extends LLMProviderOptions {
  /** Longest wait without progress, in milliseconds; queueing and prompt evaluation are such waits. 0: no limit. Default 120,000. */
  timeout?: number;
  /** Tries after the first, before any output. Default 3. */
  maxRetries?: number;
  /** `native`: `/completion` behind the model's template. `openai`: `/v1/chat/completions`. Default native. */
  apiType?: 'native' | 'openai';
  apiKey?: string;
  /** Model to ask for when a call names none; a server with one model needs none. */
  model?: string;
  /** Over {@link LLAMA_SERVER_DEFAULTS}. */
  defaults?: RequestDefaults;
  /** false: what neither a request nor `defaults` says is the server's to decide. Default true. */
  ownDefaults?: boolean;
  /** false: no temperature is ever sent. Default true. */
  sendTemperature?: boolean;
  /** Variable to name in the advice for a server that cannot be reached. Default LLAMASERVER_HOST. */
  hostVariable?: string;
}

/** What a request gets where it says nothing, in both API types. */
export const LLAMA_SERVER_DEFAULTS: RequestDefaults = { temperature: 0.7, maxTokens: 512, topP: 0.95 };

/** And this in the native one. */
const NATIVE_DEFAULTS = { top_k: 40, repeat_penalty: 1.1 };

/** llama.cpp's server: the default provider. */
export class LlamaServerProvider extends AdapterProvider {
  /** @param baseUrl root of the server, e.g. `http://127.0.0.1:8080` */
  constructor(baseUrl: string, options: LlamaServerProviderOptions = {}) {
    const { maxRetries = 3 } = options;
    super(llamaServerPreset(baseUrl, withRetry(llamaServerAdapter(), { maxRetries }), options));
  }
}

/** What makes a provider over an adapter one for llama-server. */
export function llamaServerPreset(
  baseUrl: string,
  adapter: Adapter,
  options: LlamaServerProviderOptions,
): AdapterProviderOptions {
  const { apiKey, model, defaults, timeout = 120_000, maxRetries = 3, apiType = 'native', ...rest } = options;
  const { hostVariable = 'LLAMASERVER_HOST', ownDefaults = true, ...shared } = rest;
  const native =
    apiType === 'native' && ownDefaults ? { extra: { ...NATIVE_DEFAULTS, ...defaults?.extra } } : {};
  return {
    ...shared,
    name: 'llamaserver',
    adapter,
    endpoint: {
      name: 'llamaserver',
      backendKind: 'llama_server',
      baseUrl,
      timeouts: { headersMs: timeout, idleMs: timeout },
      options: { apiType },
      ...(apiKey ? { apiKey } : {}),
      ...(model ? { model } : {}),
    },
    defaults: { ...(ownDefaults ? LLAMA_SERVER_DEFAULTS : {}), ...defaults, ...native },
    advice: {
      connection: `start llama-server or set ${hostVariable}`,
      connect_timeout: `check ${hostVariable}; is it http where the server speaks http?`,
      timeout: 'set LLM_TIMEOUT (seconds) higher if the model is only slow',
      not_found: `set ${hostVariable} to the root of the server, without /v1`,
      context_length: 'shorten it, or start llama-server with a larger --ctx-size',
      auth: 'set LLAMASERVER_API_KEY',
    },
    facts: { apiType, maxRetries },
  };
}
