import type { EndpointSpec } from '../../endpoint.ts';
import { AirframeError, isAirframeError } from '../../errors.ts';
import { redact } from '../../transport/redact.ts';

/** Gives an Entra token for a scope; asked before every call, so it has to cache. */
export type GetToken = (scope: string) => Promise<string>;

/** What the call shows: the key, a token, or a header that the endpoint brings itself. */
export type Credential = 'key' | 'token' | 'header';

/** In the docs of 2026; older ones have `https://cognitiveservices.azure.com/.default`. */
export const DEFAULT_SCOPE = 'https://ai.azure.com/.default';

const CREDENTIAL_HEADERS = new Set(['api-key', 'authorization']);

/** What of all that the endpoint and the adapter have is shown; Azure wants one, never two. */
export function credentialOf(endpoint: EndpointSpec, getToken: GetToken | undefined): Credential {
  const own = Object.keys(endpoint.headers ?? {}).find(name => CREDENTIAL_HEADERS.has(name.toLowerCase()));
  if (own !== undefined && endpoint.apiKey !== undefined) {
    throw new AirframeError(
      'invalid_request',
      `endpoint ${endpoint.name} has an apiKey and a header ${own} of its own; Azure takes one of the two`,
      { code: 'configuration', remedy: `leave out apiKey or the header ${own}` },
    );
  }
  if (own !== undefined) return 'header';
  if (endpoint.apiKey !== undefined) return 'key';
  if (getToken) return 'token';
  throw new AirframeError('auth', `endpoint ${endpoint.name} has nothing to show to Azure`, {
    code: 'configuration',
    remedy: 'set apiKey, or give azureOpenAIAdapter a getToken for Microsoft Entra ID',
  });
}

/**
 * The endpoint with its credential among the headers, where the transport redacts it.
 * @param signal ends the wait for the token
 */
export async function signed(
  endpoint: EndpointSpec,
  credential: Credential,
  getToken: GetToken | undefined,
  scope: string,
  signal: AbortSignal,
): Promise<EndpointSpec> {
  const { apiKey, headers, ...rest } = endpoint;
  if (credential === 'key' && apiKey) {
    return { ...rest, apiKey, headers: { ...headers, 'api-key': apiKey } };
  }
  if (credential === 'token' && getToken) {
    const token = await tokenOf(getToken, scope, signal);
    return { ...rest, headers: { ...headers, authorization: `Bearer ${token}` } };
  }
  return endpoint;
}

async function tokenOf(getToken: GetToken, scope: string, signal: AbortSignal): Promise<string> {
  let token: unknown;
  try {
    token = await untilAborted(Promise.resolve(getToken(scope)), signal);
  } catch (error) {
    // One who knows better whether another try makes sense may say so.
    if (isAirframeError(error)) throw error;
    const said = error instanceof Error ? error.message : String(error);
    const clean = redact(said, []);
    throw new AirframeError('auth', `getToken failed for scope ${scope}: ${clean}`, {
      cause: clean === said ? error : undefined,
    });
  }
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new AirframeError('auth', `getToken gave no token for scope ${scope} that a header can carry`, {
    remedy: 'it has to resolve to the bare token, a string without `Bearer` or white space',
  });
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
