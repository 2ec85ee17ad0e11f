import type { AirframeError } from '@x/airframe';
import type { CallProgress, LimitUsage, LLMResponse } from '@x/avionics';
import type { ProtocolName } from '../protocols/protocol.ts';

/** Who answers, as far as it is known when the headers are sent. */
export interface Source {
  provider: string;
  model: string;
}

/** What the headers of an answer tell of its call. */
export function factsHeaders(progress: CallProgress | undefined, source?: Source): Record<string, string> {
  const headers: Record<string, string> = {};
  if (source) {
    headers['x-gateway-provider'] = source.provider;
    headers['x-gateway-model'] = headerSafe(source.model);
  }
  if (!progress) return headers;
  const node = progress.routes.at(-1)?.node;
  if (node !== undefined) headers['x-gateway-node'] = node;
  if (progress.cache !== undefined) headers['x-gateway-cache'] = progress.cache;
  return headers;
}

/** The number of tries; those under way are not in the log yet. */
export function attemptsHeader(
  progress: CallProgress | undefined,
  underWay: boolean,
): Record<string, string> {
  const isKept = progress?.cache === 'hit' || progress?.cache === 'shared';
  const tries = (progress?.attempts.length ?? 0) + (underWay && !isKept ? 1 : 0);
  return { 'x-gateway-attempts': String(tries) };
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
export function ignoredHeader(names: readonly string[] = []): Record<string, string> {
  if (names.length === 0) return {};
  const told = names.slice(0, MAX_IGNORED).map(name => headerSafe(name.slice(0, 64)));
  return { 'x-gateway-ignored': told.join(', ') };
}

export function responseSource({ provider, model }: LLMResponse): Source {
  return { provider, model };
}

/** `Retry-After` and what official clients go by. The gateway has tried again already where that was of use. */
export function errorHeaders(error: AirframeError): Record<string, string> {
  const headers: Record<string, string> = { 'x-should-retry': String(error.retryable) };
  const { retryAfterMs } = error;
  if (retryAfterMs !== undefined && retryAfterMs > 0) {
    headers['retry-after'] = String(Math.ceil(retryAfterMs / 1_000));
    headers['retry-after-ms'] = String(Math.ceil(retryAfterMs));
  }
  return headers;
}

/** Of all limits of a minute the one with the least left, in the words of the client's protocol. */
export function limitHeaders(limits: readonly LimitUsage[], protocol: ProtocolName): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const unit of ['requests', 'tokens'] as const) {
    const tightest = limits
      .filter(limit => limit.unit === unit)
      .sort((a, b) => remaining(a) - remaining(b))[0];
    if (!tightest) continue;
    const left = String(Math.max(0, Math.floor(remaining(tightest))));
    if (protocol === 'anthropic-messages') {
      headers[`anthropic-ratelimit-${unit}-limit`] = String(tightest.limit);
      headers[`anthropic-ratelimit-${unit}-remaining`] = left;
      headers[`anthropic-ratelimit-${unit}-reset`] = new Date(tightest.resetsAt).toISOString();
    } else {
      headers[`x-ratelimit-limit-${unit}`] = String(tightest.limit);
      headers[`x-ratelimit-remaining-${unit}`] = left;
      headers[`x-ratelimit-reset-${unit}`] = `${Math.max(0, tightest.resetsAt - Date.now())}ms`;
    }
  }
  return headers;
}

function remaining({ limit, spent, reserved }: LimitUsage): number {
  return limit - spent - reserved;
}

/** Names of models are the backend's to choose; a header takes printable ASCII alone. */
function headerSafe(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
