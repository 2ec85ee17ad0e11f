import { AirframeError, azureOpenAIAdapter, type GetToken, withRetry } from '@x/airframe';
import { AZURE_API_VERSION } from '../settings/defaults.ts';
import { AdapterProvider } from './adapter-provider.ts';
import {
  CLOUD_DEFAULTS,
  type CloudProviderOptions,
  environmentValue,
  missingKey,
  SLOW_ADVICE,
} from './cloud.ts';
import { defined } from './options.ts';

export interface AzureAIFoundryProviderOptions extends CloudProviderOptions {
  /** The resource's endpoint as the portal shows it, with or without `/openai/v1/`. Default AZURE_ENDPOINT. */
  endpoint?: string;
  /** Deployment to call when a call names none; a call's `model` is the name of a deployment. Default AZURE_DEPLOYMENT_NAME. */
  deploymentName?: string;
  /** Default 2024-02-01; addresses of the v1 API have none, and those of model inference a newer one. */
  apiVersion?: string;
  /**
   * Gives a Microsoft Entra ID token for the scope, instead of a key. Asked before every attempt, so let it cache, as
   * `@azure/identity` does.
   */
  tokenProvider?: GetToken;
}

/** Azure OpenAI and Azure AI Foundry. */
export class AzureAIFoundryProvider extends AdapterProvider {
  /** @throws AirframeError (code `configuration`) without an endpoint, and without a key or token provider */
  constructor(options: AzureAIFoundryProviderOptions = {}) {
    const {
      endpoint: baseUrl = environmentValue('AZURE_ENDPOINT'),
      deploymentName = environmentValue('AZURE_DEPLOYMENT_NAME'),
      apiKey = options.tokenProvider ? undefined : environmentValue('AZURE_API_KEY'),
      tokenProvider,
      ...rest
    } = options;
    const { timeout, maxRetries, apiVersion = AZURE_API_VERSION, ...shared } = { ...CLOUD_DEFAULTS, ...rest };
    if (!baseUrl) {
      throw new AirframeError('invalid_request', 'provider azure has no endpoint', {
        code: 'configuration',
        remedy: 'set AZURE_ENDPOINT, e.g. https://my-resource.openai.azure.com',
      });
    }
    if (!apiKey && !tokenProvider) {
      throw missingKey('azure', 'set AZURE_API_KEY, or give tokenProvider for Microsoft Entra ID');
    }
    const version = defined({ apiVersion: versionFor(baseUrl, apiVersion) });
    super({
      ...shared,
      name: 'azure',
      adapter: withRetry(azureOpenAIAdapter(defined({ getToken: tokenProvider })), { maxRetries }),
      endpoint: {
        name: 'azure',
        backendKind: 'azure_openai',
        baseUrl,
        timeouts: { headersMs: timeout, idleMs: timeout },
        options: version,
        ...(apiKey ? { apiKey } : {}),
        ...(deploymentName ? { model: deploymentName } : {}),
      },
      advice: {
        connection: 'check the network and AZURE_ENDPOINT',
        timeout: SLOW_ADVICE,
        ...(apiKey ? { auth: 'set AZURE_API_KEY to a key of this very resource' } : {}),
      },
      facts: { maxRetries, ...version },
    });
  }
}

/**
 * The version to ask for; undefined leaves it to the adapter. The v1 API has no dated versions, and model inference
 * began later than the default (MicrosoftDocs/azure-ai-docs, 2026).
 */
function versionFor(endpoint: string, apiVersion: string): string | undefined {
  if (/\/openai\/v1(\/|$)/.test(endpoint)) return /^\d/.test(apiVersion) ? undefined : apiVersion;
  const isInference = /\/models(\/|$)|\.(inference|models)\.ai\.azure\.com/.test(endpoint);
  return isInference && apiVersion === AZURE_API_VERSION ? undefined : apiVersion;
}
