import { AirframeError } from '@x/airframe';

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
  const told = problem.replace(ADDRESS, 'the provider');
  const kept = isProviders && !isAskers ? undefined : remedy;
  if (told === problem && kept === remedy) return error;
  return new AirframeError(category, told, { ...error, remedy: kept?.replace(ADDRESS, 'the provider') });
}
