import { AirframeError } from '@x/airframe';
import type { ProviderAttempt } from '@x/avionics';

/** An address, with what stands in front of it: airframe begins its problems with whom the call waited for. */
const ADDRESS = /\bhttps?:\/\/[^\s"')\]|,;]+/g;

/**
 * An error as clients get it. Where a provider stands, and how it is set up, is the operator's alone: the log, the record
 * and the console have it all.
 */
export function forClients(error: AirframeError): AirframeError {
  const { category, problem, remedy, attempts } = error;
  const isProviders = attempts.length > 0;
  const isAskers = category === 'invalid_request' || category === 'context_length';
  const told = (ofAll(attempts) ?? problem).replace(ADDRESS, 'the provider');
  const kept = isProviders && !isAskers ? undefined : remedy;
  if (told === problem && kept === remedy) return error;
  return new AirframeError(category, told, { ...error, remedy: kept?.replace(ADDRESS, 'the provider') });
}

/** What each of several providers failed with last, without the advice for whoever set them up. */
function ofAll(attempts: readonly Partial<ProviderAttempt>[]): string | undefined {
  const last = new Map<string, string>();
  for (const { provider, message = '' } of attempts) if (provider !== undefined) last.set(provider, message);
  if (last.size < 2) return undefined;
  const all = [...last].map(([provider, message]) => `${provider}: ${message}`).join(' | ');
  return `all ${last.size} providers failed: ${all}`;
}
