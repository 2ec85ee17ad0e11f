import { anthropicMessagesAdapter, withRetry } from '@x/airframe';
import { ANTHROPIC_URL } from '../settings/defaults.ts';
import { AdapterProvider } from './adapter-provider.ts';
import {
  CLOUD_DEFAULTS,
  type CloudProviderOptions,
  environmentValue,
  missingKey,
  SLOW_ADVICE,
} from './cloud.ts';

export interface AnthropicProviderOptions extends CloudProviderOptions {
  /** Root of the API, without `/v1`. Default ANTHROPIC_BASE_URL, else https://api.anthropic.com. */
  baseUrl?: string;
  /** Model to ask for when a call names none. Default ANTHROPIC_MODEL. */
  model?: string;
}

/** Anthropic, and servers that speak the Messages API. An answer has at most 4,096 tokens unless `maxTokens` is given. */
export class AnthropicProvider extends AdapterProvider {
  /** @throws AirframeError (auth, code `configuration`) when Anthropic itself is to be called without a key */
  constructor(options: AnthropicProviderOptions = {}) {
    const {
      apiKey = environmentValue('ANTHROPIC_API_KEY'),
      baseUrl = environmentValue('ANTHROPIC_BASE_URL') ?? ANTHROPIC_URL,
      model = environmentValue('ANTHROPIC_MODEL'),
      ...rest
    } = options;
    const { timeout, maxRetries, ...shared } = { ...CLOUD_DEFAULTS, ...rest };
    if (!apiKey && baseUrl === ANTHROPIC_URL) {
      throw missingKey('anthropic', 'set ANTHROPIC_API_KEY or give apiKey');
    }
    super({
      ...shared,
      name: 'anthropic',
      adapter: withRetry(anthropicMessagesAdapter(), { maxRetries }),
      endpoint: {
        name: 'anthropic',
        backendKind: 'anthropic_messages',
        baseUrl,
        timeouts: { headersMs: timeout, idleMs: timeout },
        ...(apiKey ? { apiKey } : {}),
        ...(model ? { model } : {}),
      },
      // `unknown`: it answers, and has no list of models.
      readyStates: ['healthy', 'unknown'],
      modelVariable: 'ANTHROPIC_MODEL',
      advice: {
        auth: 'set ANTHROPIC_API_KEY to a key that is valid there',
        connection: 'check the network and ANTHROPIC_BASE_URL',
        timeout: SLOW_ADVICE,
        not_found:
          'check the name of the model, and that ANTHROPIC_BASE_URL is the root of the API, without /v1',
      },
      facts: { maxRetries },
    });
  }
}
