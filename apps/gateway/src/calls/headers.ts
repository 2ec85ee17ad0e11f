import type { AirframeError } from '@x/airframe';
import type { CallProgress, LimitUsage, LLMResponse, RejectionCause } from '@x/avionics';
import type { ProtocolName } from '../protocols/protocol.ts';

/** Who answers, as far as it is known when the headers are sent. */
export interface Source {
  provider: string;
  model: string;
}

/** Headers on their way to a client. For each call: they are added to one object, not put together from many. */
export type Headers = Record<string, string>;

/** What the headers of an answer tell of its call. */
export function addFacts(headers: Headers, progress: CallProgress | undefined, source?: Source): void {
  if (source) {
    headers['x-gateway-provider'] = headerSafe(source.provider);
    headers['x-gateway-model'] = headerSafe(source.model);
  }
  if (!progress) return;
  const node = progress.routes.at(-1)?.node;
  if (node !== undefined) headers['x-gateway-node'] = headerSafe(node);
  if (progress.cache !== undefined) headers['x-gateway-cache'] = progress.cache;
}

/** The number of tries; those under way are not in the log yet. */
export function addAttempts(headers: Headers, progress: CallProgress | undefined, underWay: boolean): void {
  const isKept = progress?.cache === 'hit' || progress?.cache === 'shared';
  const tries = (progress?.attempts.length ?? 0) + (underWay && !isKept ? 1 : 0);
  headers['x-gateway-attempts'] = String(tries);
}

/** What a call has cost, which is known when it is over. */
export function costHeader({
  costUsd,
  priced,
}: Pick<CallProgress, 'costUsd' | 'priced'>): Record<string, string> {
  return { 'x-gateway-cost-usd': priced ? String(costUsd) : 'unknown' };
}

/** Most names of fields in a header. */
const MAX_IGNORED = 32;

/** What the client asked for and does not get. */
export function addIgnored(headers: Headers, names: readonly string[] = []): void {
  if (names.length === 0) return;
  const told = names.slice(0, MAX_IGNORED).map(name => headerSafe(name.slice(0, 64)));
  headers['x-gateway-ignored'] = told.join(', ');
}

export function responseSource({ provider, model }: LLMResponse): Source {
  return { provider, model };
}

/** `Retry-After` and what official clients go by. The gateway has tried again already where that was of use. */
export function errorHeaders(error: AirframeError): Record<string, string> {
  const { retryable, retryAfterMs } = error;
  // Only where it is known when: layers of tries multiply.
  const headers: Headers = { 'x-should-retry': String(retryable && retryAfterMs !== undefined) };
  if (retryAfterMs !== undefined && retryAfterMs > 0) {
    headers['retry-after'] = String(Math.ceil(retryAfterMs / 1_000));
    headers['retry-after-ms'] = String(Math.ceil(retryAfterMs));
  }
  return headers;
}

const OPENAI = limitNames((unit, what) => `x-ratelimit-${what}-${unit}`);
const ANTHROPIC = limitNames((unit, what) => `anthropic-ratelimit-${unit}-${what}`);

/** Put together once, for they stand in every answer. */
function limitNames(nameOf: (unit: string, what: string) => string) {
  const names = (unit: string) => ({
    limit: nameOf(unit, 'limit'),
    remaining: nameOf(unit, 'remaining'),
    reset: nameOf(unit, 'reset'),
  });
  return { requests: names('requests'), tokens: names('tokens') };
}

/** Of all limits the one with the least left, in the words of the client's protocol. */
export function addLimits(headers: Headers, limits: readonly LimitUsage[], protocol: ProtocolName): void {
  for (const unit of ['requests', 'tokens'] as const) {
    const limit = tightestOf(limits, unit);
    if (!limit) continue;
    const names = (protocol === 'anthropic-messages' ? ANTHROPIC : OPENAI)[unit];
    headers[names.limit] = String(limit.limit);
    headers[names.remaining] = String(Math.max(0, Math.floor(remaining(limit))));
    headers[names.reset] =
      protocol === 'anthropic-messages'
        ? new Date(limit.resetsAt).toISOString()
        : `${Math.max(0, limit.resetsAt - Date.now())}ms`;
  }
}

/** The limits that a refused call has met. */
export function limitsBehind({ code, cause }: AirframeError): readonly LimitUsage[] | undefined {
  return code === 'limit_reached' ? (cause as Partial<RejectionCause> | undefined)?.limits : undefined;
}

function tightestOf(limits: readonly LimitUsage[], unit: LimitUsage['unit']): LimitUsage | undefined {
  let tightest: LimitUsage | undefined;
  for (const limit of limits) {
    if (limit.unit === unit && (!tightest || remaining(limit) < remaining(tightest))) tightest = limit;
  }
  return tightest;
}

function remaining({ limit, spent, reserved }: LimitUsage): number {
  return limit - spent - reserved;
}

const PRINTABLE = /^[\x20-\x7e]*$/;

/** Names of models are the backend's to choose, those of nodes a registry's; a header takes printable ASCII alone. */
function headerSafe(text: string): string {
  return PRINTABLE.test(text) ? text : text.replace(/[^\x20-\x7e]/g, '?');
}
