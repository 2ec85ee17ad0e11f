import { type Adapter, defineAdapter, type InferenceCall } from '../../adapter.ts';
import type { Reply } from '../../assemble/reply.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { createHttp, type HttpFn } from '../../transport/http.ts';
import { readRateLimits } from '../../wire-openai/rate-limits.ts';
import { inferenceCall } from '../openai-chat/request.ts';
import { resending } from '../openai-chat/resend.ts';
import type { OpenAIChatExtra } from '../openai-chat/wire.ts';
import { credentialOf, DEFAULT_SCOPE, type GetToken, signed } from './auth.ts';
import { readError, withRemedy } from './errors.ts';
import { profileOf, resourceOf, routeOf } from './families.ts';
import { embed, health, listModels } from './operations.ts';

export type { GetToken } from './auth.ts';
export type { AzureOpenAIEndpointOptions } from './options.ts';

/** What {@link azureOpenAIAdapter} takes. */
export interface AzureOpenAIAdapterOptions {
  /** How requests travel. Default: undici, with a pool of its own. */
  http?: HttpFn;
  /**
   * Gives an Entra token for the scope; used for endpoints without an `apiKey`. Called before every attempt, since
   * tokens expire: let it cache (`@azure/identity` does). Its time counts against `totalMs` only.
   */
  getToken?: GetToken;
}

/**
 * Azure OpenAI and Azure AI Foundry: Chat Completions with other addresses and credentials. `endpoint.baseUrl` is
 * the resource's endpoint as the portal shows it, with or without `/openai/v1/`; for `endpoint.options` see
 * {@link AzureOpenAIEndpointOptions}; the model is the name of a deployment.
 *
 * A prompt that the content filter blocks is an error of category `content_filter` with Azure's findings in `raw`;
 * an answer that it blocks ends with that finish reason, also when the block comes after `stop`: then text that was
 * shown may have to be withdrawn. Parameters that a deployment refuses by name are handled as in openAIChatAdapter.
 */
export function azureOpenAIAdapter(options: AzureOpenAIAdapterOptions = {}): Adapter<OpenAIChatExtra> {
  const http = options.http ?? createHttp();
  const ownHttp = options.http ? undefined : http;
  const { getToken } = options;
  return defineAdapter<OpenAIChatExtra>({
    kind: 'azure_openai',
    capabilities: {
      streaming: true,
      rawPrompt: true,
      tools: true,
      images: true,
      reasoning: true,
      jsonSchema: true,
      seed: true,
    },
    infer: (call, reply) => infer(http, getToken, call, reply),
    health: (endpoint, deadlines) => health({ http, getToken }, endpoint, deadlines),
    embed: call => embed({ http, getToken }, call),
    listModels: (endpoint, deadlines) => listModels({ http, getToken }, endpoint, deadlines),
    close: async () => ownHttp?.close?.(),
  });
}

async function infer(
  http: HttpFn,
  getToken: GetToken | undefined,
  { endpoint, request, deadlines, signal }: InferenceCall<OpenAIChatExtra>,
  reply: Reply,
): Promise<AsyncIterable<void>> {
  const resource = resourceOf(endpoint);
  const asked = request.model ?? endpoint.model;
  const { baseUrl, model, query } = routeOf(endpoint, resource, asked);
  const call = inferenceCall(request, profileOf(resource), model, {});
  const credential = credentialOf(endpoint, getToken);
  const scope = resource.options.scope ?? DEFAULT_SCOPE;
  const target: EndpointSpec = await signed({ ...endpoint, baseUrl }, credential, getToken, scope, signal);
  const options = { http, endpoint: target, deadlines, readError, readLimits: readRateLimits };
  try {
    return await resending(options, { ...call, path: call.path + query }, request.extra ?? {}, reply);
  } catch (error) {
    throw withRemedy(error, resource, credential, resource.deployment ?? asked);
  }
}
