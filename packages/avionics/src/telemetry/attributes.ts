import type { Attributes } from '@opentelemetry/api';
import type { AirframeError, EmbedRequest, InferenceRequest, Usage } from '@x/airframe';
import { type Facts, PROVIDER_NAMES, ROUTE } from './names.ts';

/** What is asked of a provider. */
export type AnyRequest = InferenceRequest | EmbedRequest;

const isEmbedding = (request: AnyRequest): request is EmbedRequest => 'input' in request;

/** A provider as the conventions call it. */
export function providerNameOf(type: string): string {
  return PROVIDER_NAMES[type] ?? type;
}

/** Providers whose own conventions have a service tier. */
const WITH_TIERS: ReadonlySet<string> = new Set(['openai', 'azure']);

export function hasTiers(provider: string): boolean {
  return WITH_TIERS.has(provider);
}

/** The parameters of a request; never what it says. */
export function factsOfRequest(request: AnyRequest, provider: string): Facts {
  if (isEmbedding(request)) return { dimensions: request.dimensions };
  const { maxTokens, temperature, topP, seed, stop, serviceTier, responseFormat } = request;
  const { extra = {} } = request;
  const number = (name: string) => (typeof extra[name] === 'number' ? extra[name] : undefined);
  const choices = number('n');
  return {
    maxTokens,
    temperature,
    topP,
    seed,
    stopSequences: stop,
    topK: number('top_k'),
    frequencyPenalty: number('frequency_penalty'),
    presencePenalty: number('presence_penalty'),
    choiceCount: choices === 1 ? undefined : choices,
    outputType: responseFormat && (responseFormat.type === 'text' ? 'text' : 'json'),
    requestServiceTier: hasTiers(provider) && serviceTier !== 'auto' ? serviceTier : undefined,
  };
}

export function factsOfUsage(usage: Usage): Facts {
  return {
    inputTokens: usage.promptTokens,
    outputTokens: usage.completionTokens,
    cachedTokens: usage.cachedTokens,
    cacheWriteTokens: usage.cacheWriteTokens,
    reasoningTokens: usage.reasoningTokens,
    usageEstimated: usage.source === 'estimated' ? true : undefined,
  };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Where a backend listens; nothing for one in this process. */
export function factsOfServer(baseUrl: string | undefined): Pick<Facts, 'serverAddress' | 'serverPort'> {
  if (baseUrl === undefined || !URL.canParse(baseUrl)) return {};
  const { protocol, hostname, port } = new URL(baseUrl);
  if (hostname === '') return {};
  return {
    serverAddress: hostname.replace(/^\[|\]$/g, ''),
    serverPort: port === '' ? DEFAULT_PORTS[protocol] : Number(port),
  };
}

/** How a node was chosen, flat: `{why: 'prefix'}` → `avionics.route.why`. */
export function attributesOfRoute(reasons: object): Attributes {
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(reasons)) {
    const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (plain) attributes[`${ROUTE}.${key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)}`] = value;
  }
  return attributes;
}

/** Codes are words of a closed set, ours or the backend's; anything longer might quote what was sent. */
const CODE = /^[\w.-]{1,64}$/;

/** What failed, without the message: a backend may quote the prompt in it. */
export function statusMessageOf({ category, status, code }: AirframeError): string {
  const parts = [category, status && `status ${status}`, code !== undefined && CODE.test(code) && code];
  return parts.filter(Boolean).join(', ');
}

/** Kinds of errors that are found here, not told by a backend, unless they come with a status. */
const FOUND_HERE: ReadonlySet<string> = new Set(['connection', 'timeout', 'aborted']);

/** What a log may say of an error: our own words whole, of a backend's only the kind, since they may quote the prompt. */
export function loggedReasonOf(error: AirframeError): string {
  const isOurs = FOUND_HERE.has(error.category) && error.status === undefined;
  return isOurs ? error.message : statusMessageOf(error);
}
