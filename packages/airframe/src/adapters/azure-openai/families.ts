import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError } from '../../errors.ts';
import { GENERIC, type Profile } from '../openai-chat/profiles.ts';
import { type AzureOpenAIEndpointOptions, type Family, optionsOf } from './options.ts';

/**
 * Where Azure serves Chat Completions. Sources: MicrosoftDocs/azure-ai-docs api-version-lifecycle-content.md
 * (2026-03-19) for `v1` and `deployments`, concepts-endpoints-2.md (2026-07-31) and Azure/azure-rest-api-specs
 * ModelInference routes.tsp for `models`; openai-node 7.5.0 src/azure.ts (2026).
 */
interface FamilyFacts {
  /** Sent as `api-version` unless the endpoint names one. */
  apiVersion?: string;
  /** The list of models, below the resource; `models` has that of its one model below its own base. */
  modelsPath: string;
  rawPrompt: boolean;
  /** `service_tier` and `prompt_cache_key` came with v1 (general knowledge). */
  sends: Profile['sends'];
}

const FAMILIES: Readonly<Record<Family, FamilyFacts>> = {
  v1: {
    modelsPath: '/openai/v1/models',
    rawPrompt: true,
    sends: ['strict', 'service_tier', 'prompt_cache_key'],
  },
  deployments: {
    apiVersion: '2024-02-01',
    modelsPath: '/openai/models',
    rawPrompt: true,
    sends: ['strict'],
  },
  models: { apiVersion: '2024-05-01-preview', modelsPath: '/info', rawPrompt: false, sends: ['strict'] },
};

/** 2024-09-01-preview and 2024-10-21 are the first to know `stream_options` and `parallel_tool_calls`. */
const USAGE_SINCE = '2024-09-01';

/** One model an endpoint: its host is the API itself. The second name is the older one (general knowledge). */
const SERVERLESS_HOST = /\.(inference|models)\.ai\.azure\.com$/;

/** What users paste, longest first; what stands ahead is the resource, or a gateway's path to it. */
const PASTED: readonly { path: RegExp; family?: Family }[] = [
  { path: /^(.*)\/openai\/v1(?:\/.*)?$/, family: 'v1' },
  { path: /^(.*)\/openai\/deployments\/([^/]+)(?:\/.*)?$/, family: 'deployments' },
  { path: /^(.*)\/openai(?:\/deployments)?$/ },
  { path: /^(.*)\/models(?:\/chat\/completions)?$/, family: 'models' },
  { path: /^(.*)\/chat\/completions$/ },
];

/** An endpoint, understood. */
export interface Resource {
  family: Family;
  /** The resource without the family's own path. */
  root: string;
  /** What `models` hangs its routes on. */
  modelsBase: string;
  /** From `options.deployment` or from the address. */
  deployment: string | undefined;
  apiVersion: string | undefined;
  modelRequired: boolean;
  options: AzureOpenAIEndpointOptions;
}

/** Where one call goes. */
export interface Route {
  baseUrl: string;
  /** For the body; `deployments` has it in the path instead. */
  model: string | undefined;
  /** Behind every path: empty, or `?api-version=…`. */
  query: string;
}

/** @throws AirframeError (invalid_request, code `configuration`) for options that make no sense */
export function resourceOf(endpoint: EndpointSpec): Resource {
  const options = optionsOf(endpoint);
  const { origin, hostname, pathname } = new URL(endpoint.baseUrl);
  const pasted = readPath(pathname.replace(/\/+$/, ''));
  const serverless = SERVERLESS_HOST.test(hostname);
  const asked = options.family === 'auto' ? undefined : options.family;
  const family = asked ?? pasted.family ?? (serverless ? 'models' : guess(options));
  const root = origin + pasted.root;
  return {
    family,
    root,
    modelsBase: serverless ? root : `${root}/models`,
    deployment: options.deployment ?? pasted.deployment,
    apiVersion: options.apiVersion ?? FAMILIES[family].apiVersion,
    modelRequired: family !== 'models' || !serverless,
    options,
  };
}

/** The route of a call that names this model. */
export function routeOf(endpoint: EndpointSpec, resource: Resource, asked: string | undefined): Route {
  const { family, root, modelsBase, modelRequired } = resource;
  const name = resource.deployment ?? asked;
  const query = queryOf(resource);
  if (name === undefined && modelRequired) {
    throw new AirframeError('invalid_request', `endpoint ${endpoint.name} has no deployment to call`, {
      code: 'configuration',
      remedy: 'set options.deployment, or model of the endpoint or the request, to the deployment’s name',
    });
  }
  switch (family) {
    case 'v1':
      return { baseUrl: `${root}/openai/v1`, model: name, query };
    case 'models':
      return { baseUrl: modelsBase, model: name, query };
    case 'deployments':
      return { baseUrl: `${root}/openai/deployments/${segment(name ?? '')}`, model: undefined, query };
  }
}

/** Where Azure tells which models there are; not which of them are deployed. */
export function modelsRouteOf(resource: Resource): { baseUrl: string; path: string } {
  const { family, root, modelsBase } = resource;
  const path = FAMILIES[family].modelsPath + queryOf(resource);
  return { baseUrl: family === 'models' ? modelsBase : root, path };
}

/** What the deployment takes, as far as it can be known from the api-version. */
export function profileOf({ family, apiVersion, options }: Resource): Profile {
  const { rawPrompt, sends, modelsPath } = FAMILIES[family];
  // v1 without a date has no past.
  const recent = !apiVersion?.startsWith('2') || apiVersion.slice(0, 10) >= USAGE_SINCE;
  return {
    ...GENERIC,
    toolCallExtras: false,
    tokenLimit: options.maxTokensField ?? 'max_tokens',
    sends: [
      ...sends,
      ...((options.includeUsage ?? recent) ? (['stream_options'] as const) : []),
      ...((options.parallelToolCalls ?? recent) ? (['parallel_tool_calls'] as const) : []),
    ],
    rawPrompt,
    healthPath: modelsPath,
  };
}

function guess({ deployment, apiVersion }: AzureOpenAIEndpointOptions): Family {
  const dated = apiVersion === undefined ? deployment !== undefined : apiVersion.startsWith('2');
  return dated ? 'deployments' : 'v1';
}

function readPath(path: string): { family?: Family; root: string; deployment?: string } {
  for (const { path: form, family } of PASTED) {
    const [whole, root = '', deployment] = form.exec(path) ?? [];
    if (whole === undefined) continue;
    return {
      root,
      ...(family ? { family } : {}),
      ...(deployment === undefined ? {} : { deployment: decoded(deployment) }),
    };
  }
  return { root: path };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A name may come from whoever makes the request: it must not lead out of its place in the path. */
function segment(name: string): string {
  if (name === '.' || name === '..') {
    throw new AirframeError('invalid_request', `${name} is not the name of a deployment`);
  }
  return encodeURIComponent(name);
}

function queryOf({ apiVersion }: Resource): string {
  return apiVersion === undefined ? '' : `?api-version=${apiVersion}`;
}
