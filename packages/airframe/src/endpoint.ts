import * as z from 'zod';
import { perEndpoint } from './per-endpoint.ts';
import { check } from './validate.ts';

/** The kinds of backend this project brings an adapter for. An adapter from outside names its own kind. */
export const KNOWN_BACKEND_KINDS = [
  'llama_server',
  'llamacpp_native',
  'openai_chat',
  'openai_responses',
  'anthropic_messages',
  'azure_openai',
] as const;

/** Which adapter speaks to an endpoint: lower-case words joined by `_`. */
export type BackendKind = (typeof KNOWN_BACKEND_KINDS)[number] | (string & {});
/** Checks a {@link BackendKind}: its form, not whether there is an adapter for it. */
export const backendKindSchema: z.ZodType<BackendKind> = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, { error: 'a backend kind is lower-case words joined by _' });

/** What an endpoint can take. Hints for whoever routes; the transport enforces none of them. */
export interface CapacityHints {
  /** Requests it works on at once, e.g. llama-server's slots. */
  maxConcurrent?: number;
  /** Tokens of context one request may use. */
  contextTokens?: number;
}
/** Checks {@link CapacityHints}. */
export const capacityHintsSchema: z.ZodType<CapacityHints> = z.object({
  maxConcurrent: z.int().positive().exactOptional(),
  contextTokens: z.int().positive().exactOptional(),
});

/** Deadlines in milliseconds, each on its own clock; 0 turns one off. */
export interface Timeouts {
  /** Until the socket is open. */
  connectMs?: number;
  /** From there until the response begins. Queueing and model load happen here. */
  headersMs?: number;
  /** Between two reads of the body. Comments count as life. */
  idleMs?: number;
  /** The whole call, all attempts together. */
  totalMs?: number;
}
// Node’s timers hold no more; a longer one would fire at once.
const MAX_TIMER_MS = 2 ** 31 - 1;
const milliseconds = z.number().min(0).max(MAX_TIMER_MS).exactOptional();
/** Checks {@link Timeouts}: no clock may be below 0, or beyond what a timer of Node holds. */
export const timeoutsSchema: z.ZodType<Timeouts> = z.object({
  connectMs: milliseconds,
  headersMs: milliseconds,
  idleMs: milliseconds,
  totalMs: milliseconds,
});

function isMilliseconds(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= MAX_TIMER_MS;
}

/** llama-server sends a comment every 30 s, so 90 s of silence mean that nobody is there. */
export const DEFAULT_TIMEOUTS: Required<Timeouts> = {
  connectMs: 10_000,
  headersMs: 0,
  idleMs: 90_000,
  totalMs: 0,
};

/**
 * Puts timeouts together; later ones come first, what is undefined counts as not said.
 * @throws AirframeError (invalid_request) for a value that no clock can keep
 */
export function resolveTimeouts(...sources: (Timeouts | undefined)[]): Required<Timeouts> {
  let { connectMs, headersMs, idleMs, totalMs } = DEFAULT_TIMEOUTS;
  for (const source of sources) {
    if (source === undefined) continue;
    connectMs = said(source.connectMs, connectMs);
    headersMs = said(source.headersMs, headersMs);
    idleMs = said(source.idleMs, idleMs);
    totalMs = said(source.totalMs, totalMs);
  }
  const resolved = { connectMs, headersMs, idleMs, totalMs };
  // For each call: the schema is asked for its words alone.
  if (![connectMs, headersMs, idleMs, totalMs].every(isMilliseconds)) {
    check(timeoutsSchema, resolved, 'timeouts');
  }
  return resolved;
}

function said(ms: number | undefined, before: number): number {
  return ms === undefined ? before : ms;
}

/** Where a model can be reached, and how. */
export interface EndpointSpec {
  /** Unique in its registry; stands in logs and attempt logs. */
  name: string;
  backendKind: BackendKind;
  /**
   * Root of the backend's API: `http://127.0.0.1:8080` for llama-server, `https://api.openai.com/v1` for openai_chat.
   * An in-process backend: the `file:` URL of the model.
   */
  baseUrl: string;
  /** Sent when the request names no model. */
  model?: string;
  apiKey?: string;
  headers?: Record<string, string>;
  timeouts?: Timeouts;
  capacity?: CapacityHints;
  /** The adapter's own settings; the adapter checks them. */
  options?: Record<string, unknown>;
}
/** Checks an {@link EndpointSpec}. What an adapter takes in `options` is for the adapter to check. */
export const endpointSpecSchema: z.ZodType<EndpointSpec> = z.object({
  name: z.string().min(1),
  backendKind: backendKindSchema,
  baseUrl: z
    .url({ protocol: /^(https?|file)$/, error: 'not an http:, https: or file: URL' })
    // It stands in error messages, so it must not hold a secret.
    .refine(url => !/^\w+:\/\/[^/]*@/.test(url), {
      error: 'holds a user name or password; use apiKey or headers',
    })
    .refine(url => !/[?#]/.test(url), { error: 'holds a query or fragment; give the root of the backend' }),
  model: z.string().min(1).exactOptional(),
  apiKey: z
    .string()
    .regex(/^[\x20-\x7e]+$/, {
      error: 'is empty or has characters that no header can carry, such as a newline',
    })
    .exactOptional(),
  headers: z.record(z.string(), z.string()).exactOptional(),
  timeouts: timeoutsSchema.exactOptional(),
  capacity: capacityHintsSchema.exactOptional(),
  options: z.record(z.string(), z.unknown()).exactOptional(),
});

/** @throws AirframeError (invalid_request, code `configuration`) naming every problem */
export const checkEndpoint: (endpoint: EndpointSpec) => void = perEndpoint(endpoint => {
  check(endpointSpecSchema, endpoint, 'endpoint', { code: 'configuration' });
});

const headersSchema = z.record(z.string(), z.string());

/**
 * The endpoint with the headers of one call over its own: the name decides, in whatever case it is written.
 * @throws AirframeError (invalid_request) when a header is no text
 */
export function withHeaders(
  endpoint: EndpointSpec,
  headers: Record<string, string> | undefined,
): EndpointSpec {
  if (headers === undefined) return endpoint;
  const merged: Record<string, string> = {};
  const all = [endpoint.headers ?? {}, check(headersSchema, headers, 'headers of the call')];
  for (const [name, value] of all.flatMap(Object.entries<string>)) merged[name.toLowerCase()] = value;
  return { ...endpoint, headers: merged };
}

/** What an endpoint can be. */
export const HEALTH_STATES = ['unknown', 'healthy', 'loading', 'unhealthy'] as const;

/** `loading`: reachable, not ready yet. `unknown`: never probed. */
export type HealthState = (typeof HEALTH_STATES)[number];
/** Checks a {@link HealthState}. */
export const healthStateSchema: z.ZodType<HealthState> = z.enum(HEALTH_STATES);

/** What one look at an endpoint found. */
export interface HealthReport {
  state: HealthState;
  /** Milliseconds since the epoch. */
  checkedAt: number;
  /** Milliseconds the probe took. */
  latencyMs: number;
  /** Why it is not healthy. */
  reason?: string;
}
