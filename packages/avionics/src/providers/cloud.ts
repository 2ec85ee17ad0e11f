import { AirframeError } from '@x/airframe';
import type { RequestDefaults } from './adapter-provider.ts';
import type { LLMProviderOptions } from './base.ts';

/** What the providers of cloud services have in common. */
export interface CloudProviderOptions extends LLMProviderOptions {
  /** Default: the service's variable of the environment. '' sends none, for a server of its own at `baseUrl`. */
  apiKey?: string;
  /** Longest wait without progress, in milliseconds. 0: no limit. Default 60,000. */
  timeout?: number;
  /** Tries after the first, before any output. Default 3. */
  maxRetries?: number;
  /** What a request gets where it says nothing. Default: nothing, the service decides. */
  defaults?: RequestDefaults;
  /** false: no temperature is ever sent. Default true. */
  sendTemperature?: boolean;
}

/** What a cloud service has time and tries for. */
export const CLOUD_DEFAULTS = { timeout: 60_000, maxRetries: 3 } as const;

export const SLOW_ADVICE = 'set LLM_TIMEOUT (seconds) higher if the model is only slow';

/** A variable of the process's environment; empty counts as not set. */
export function environmentValue(variable: string): string | undefined {
  return process.env[variable]?.trim() || undefined;
}

/** A provider without anything to show to its service. */
export function missingKey(provider: string, remedy: string): AirframeError {
  return new AirframeError('auth', `provider ${provider} has no API key`, { code: 'configuration', remedy });
}
