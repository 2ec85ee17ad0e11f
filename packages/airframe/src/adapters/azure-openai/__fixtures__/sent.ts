import { collect, type InferenceResult } from '../../../collect.ts';
import type { EndpointSpec } from '../../../endpoint.ts';
import type { AirframeError } from '../../../errors.ts';
import type { InferenceRequest, Message } from '../../../request.ts';
import type { HttpRequest } from '../../../transport/http.ts';
import type { OpenAIChatExtra } from '../../openai-chat/wire.ts';
import { type AzureOpenAIAdapterOptions, azureOpenAIAdapter } from '../index.ts';

export const messages: Message[] = [{ role: 'user', content: 'hi' }];
export const KEY = 'hunter2hunter2';

type AzureRequest = InferenceRequest<OpenAIChatExtra>;

/** An endpoint of the v1 family with a key. */
export function endpointAt(baseUrl: string, more: Partial<EndpointSpec> = {}): EndpointSpec {
  return { name: 'az', backendKind: 'azure_openai', baseUrl, model: 'dep', apiKey: KEY, ...more };
}

export function infer(
  endpoint: EndpointSpec,
  request: Partial<AzureRequest> = {},
  options: AzureOpenAIAdapterOptions = {},
): Promise<InferenceResult> {
  const whole = (request.prompt === undefined ? { messages, ...request } : request) as AzureRequest;
  return collect(azureOpenAIAdapter(options).streamInfer(endpoint, whole), { throwOnError: false });
}

/** What a call became, caught at the door. */
export interface Sent {
  url: string | undefined;
  headers: Record<string, string>;
  body: Record<string, unknown>;
  error: AirframeError | undefined;
}

export async function sent(
  endpoint: EndpointSpec,
  request: Partial<AzureRequest> = {},
  options: AzureOpenAIAdapterOptions = {},
): Promise<Sent> {
  let seen: HttpRequest | undefined;
  const http = async (call: HttpRequest) => {
    seen = call;
    const body = (async function* () {
      yield Buffer.from('{"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}]}');
    })();
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  };
  const { error } = await infer(endpoint, request, { ...options, http });
  return {
    url: seen?.url,
    headers: seen?.headers ?? {},
    body: JSON.parse(seen?.body ?? '{}') as Record<string, unknown>,
    error,
  };
}
