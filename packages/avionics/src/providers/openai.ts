import {
  type OpenAIChatEndpointOptions,
  openAIChatAdapter,
  openAIResponsesAdapter,
  withRetry,
} from '@x/airframe';
import { OPENAI_URL } from '../settings/defaults.ts';
import { AdapterProvider } from './adapter-provider.ts';
import {
  CLOUD_DEFAULTS,
  type CloudProviderOptions,
  environmentValue,
  missingKey,
  SLOW_ADVICE,
} from './cloud.ts';
import { defined } from './options.ts';

export interface OpenAIProviderOptions extends CloudProviderOptions {
  /** `chat`: Chat Completions. `responses`: the Responses API. Default chat. */
  api?: 'chat' | 'responses';
  /** Root of the API, mostly ending in `/v1`. Default OPENAI_BASE_URL, else https://api.openai.com/v1. */
  baseUrl?: string;
  /** Who the calls are billed to. Defaults OPENAI_ORG_ID and OPENAI_PROJECT_ID; '' says nothing. */
  organization?: string;
  project?: string;
  /** What a server that speaks Chat Completions takes and leaves out. Default `auto`: by `baseUrl`. */
  profile?: NonNullable<OpenAIChatEndpointOptions['profile']>;
  /** Model to ask for when a call names none. Default OPENAI_MODEL. */
  model?: string;
}

/** OpenAI, and servers that speak its protocols. */
export class OpenAIProvider extends AdapterProvider {
  /** @throws AirframeError (auth, code `configuration`) when OpenAI itself is to be called without a key */
  constructor(options: OpenAIProviderOptions = {}) {
    const {
      apiKey = environmentValue('OPENAI_API_KEY'),
      baseUrl = environmentValue('OPENAI_BASE_URL') ?? OPENAI_URL,
      organization = environmentValue('OPENAI_ORG_ID'),
      project = environmentValue('OPENAI_PROJECT_ID'),
      model = environmentValue('OPENAI_MODEL'),
      ...rest
    } = options;
    const { timeout, maxRetries, api = 'chat', profile, ...shared } = { ...CLOUD_DEFAULTS, ...rest };
    // Elsewhere there may be no key to show: Ollama, vLLM and llama-server want none.
    if (!apiKey && baseUrl === OPENAI_URL) throw missingKey('openai', 'set OPENAI_API_KEY or give apiKey');
    const adapter = api === 'chat' ? openAIChatAdapter() : openAIResponsesAdapter();
    super({
      ...shared,
      name: 'openai',
      adapter: withRetry(adapter, { maxRetries }),
      endpoint: {
        name: 'openai',
        backendKind: adapter.kind,
        baseUrl,
        timeouts: { headersMs: timeout, idleMs: timeout },
        options: defined({
          organization: organization || undefined,
          project: project || undefined,
          profile: api === 'chat' ? profile : undefined,
        }),
        ...(apiKey ? { apiKey } : {}),
        ...(model ? { model } : {}),
      },
      // `unknown`: it answers, and has no list of models.
      readyStates: ['healthy', 'unknown'],
      modelVariable: 'OPENAI_MODEL',
      advice: {
        auth: 'set OPENAI_API_KEY to a key that is valid there',
        connection: 'check the network and OPENAI_BASE_URL',
        timeout: SLOW_ADVICE,
        not_found:
          'check the name of the model, and that OPENAI_BASE_URL is the root of the API, which mostly ends in /v1',
      },
      facts: { api, maxRetries },
    });
  }
}
