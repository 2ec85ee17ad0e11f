import * as z from 'zod';
import { type Adapter, defineAdapter, type InferenceCall } from '../../adapter.ts';
import type { Reply } from '../../assemble/reply.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError } from '../../errors.ts';
import { type ExchangeOptions, exchangeJson } from '../../transport/exchange.ts';
import { createHttp, type HttpFn } from '../../transport/http.ts';
import { readRateLimits } from '../../transport/openai-rate-limits.ts';
import { check } from '../../validate.ts';
import { readError } from './errors.ts';
import { GENERIC, PROFILE_NAMES, PROFILES, type Profile, type ProfileName } from './profiles.ts';
import { inferenceCall } from './request.ts';
import { resending } from './resend.ts';
import type { OpenAIChatExtra } from './wire.ts';

export type { OpenAIChatExtra } from './wire.ts';

export interface OpenAIChatAdapterOptions {
  /** How requests travel. Default: undici, with a pool of its own. */
  http?: HttpFn;
}

/** `endpoint.options` of this adapter. */
export interface OpenAIChatEndpointOptions {
  /** What the server takes and leaves out. Default `auto`: by host and port of `baseUrl`, else a cautious guess. */
  profile?: ProfileName | 'auto';
  /** OpenAI: which organization and project the call is billed to. */
  organization?: string;
  project?: string;
}

const endpointOptions: z.ZodType<OpenAIChatEndpointOptions> = z.strictObject({
  profile: z.enum(['auto', ...PROFILE_NAMES]).exactOptional(),
  organization: z.string().min(1).exactOptional(),
  project: z.string().min(1).exactOptional(),
});

/**
 * OpenAI's Chat Completions, and the servers that speak it. `endpoint.baseUrl` is the root of the API, e.g.
 * `https://api.openai.com/v1`; for `endpoint.options` see {@link OpenAIChatEndpointOptions}; `extra` takes the
 * server's own parameters.
 *
 * Some models refuse `temperature`, `top_p` or one name of the token limit, and some servers `stream_options`. When
 * the answer is a 400 or 422 that names one of these, the call is sent again without it, or with the limit's other
 * name: once each, before any output, inside the same attempt.
 */
export function openAIChatAdapter(options: OpenAIChatAdapterOptions = {}): Adapter<OpenAIChatExtra> {
  const http = options.http ?? createHttp();
  const ownHttp = options.http ? undefined : http;
  return defineAdapter<OpenAIChatExtra>({
    kind: 'openai_chat',
    capabilities: {
      streaming: true,
      rawPrompt: true,
      tools: true,
      images: true,
      reasoning: true,
      jsonSchema: true,
      seed: true,
    },
    infer: (call, reply) => infer(http, call, reply),
    health: async (endpoint, deadlines) => {
      const { profile, headers } = settingsOf(endpoint);
      const exchangeOptions = { http, endpoint, deadlines, readError };
      await exchangeJson(exchangeOptions, { method: 'GET', path: profile.healthPath, headers });
      return 'healthy';
    },
    close: async () => ownHttp?.close?.(),
  });
}

async function* infer(
  http: HttpFn,
  { endpoint, request, deadlines }: InferenceCall<OpenAIChatExtra>,
  reply: Reply,
): AsyncGenerator<void, void, undefined> {
  const { profile, headers } = settingsOf(endpoint);
  const call = inferenceCall(request, profile, request.model ?? endpoint.model, headers);
  const exchangeOptions: ExchangeOptions = {
    http,
    endpoint,
    deadlines,
    readError,
    readLimits: readRateLimits,
  };
  try {
    yield* resending(exchangeOptions, call, request.extra ?? {}, reply);
  } catch (error) {
    throw withRemedy(error, endpoint);
  }
}

/** A 404 that does not come from the API itself: most often its root is missing from the address. */
function withRemedy(error: unknown, { baseUrl }: EndpointSpec): unknown {
  const isRoot = new URL(baseUrl).pathname === '/';
  if (!isRoot || !(error instanceof AirframeError) || error.status !== 404 || error.code) return error;
  return error.with({ remedy: 'baseUrl has to be the root of the API, which mostly ends in /v1' });
}

function settingsOf(endpoint: EndpointSpec): { profile: Profile; headers: Record<string, string> } {
  const what = `options of endpoint ${endpoint.name}`;
  const options = check(endpointOptions, endpoint.options ?? {}, what, { code: 'configuration' });
  const { profile = 'auto', organization, project } = options;
  return {
    profile: profile === 'auto' ? profileOf(endpoint.baseUrl) : PROFILES[profile],
    headers: {
      ...(endpoint.apiKey === undefined ? {} : { authorization: `Bearer ${endpoint.apiKey}` }),
      ...(organization === undefined ? {} : { 'openai-organization': organization }),
      ...(project === undefined ? {} : { 'openai-project': project }),
    },
  };
}

/** The profile of a known host, or else of a local server's usual port, over plain http. */
function profileOf(baseUrl: string): Profile {
  const { hostname, port, protocol } = new URL(baseUrl);
  const profiles = Object.values(PROFILES);
  const byHost = profiles.find(({ hosts }) =>
    hosts.some(host => hostname === host || hostname.endsWith(`.${host}`)),
  );
  if (byHost) return byHost;
  const byPort =
    protocol === 'http:' && port !== '' ? profiles.find(one => String(one.port) === port) : undefined;
  return byPort ?? GENERIC;
}
