import * as z from 'zod';
import type { EndpointSpec } from '../../endpoint.ts';
import { perEndpoint } from '../../per-endpoint.ts';
import { check } from '../../validate.ts';
import { type Account, accountHeaders } from '../../wire-openai/root.ts';
import { GENERIC, PROFILE_NAMES, PROFILES, type Profile, type ProfileName } from './profiles.ts';

/** `endpoint.options` of this adapter. */
export interface OpenAIChatEndpointOptions extends Account {
  /** What the server takes and leaves out. Default `auto`: by host and port of `baseUrl`, else a cautious guess. */
  profile?: ProfileName | 'auto';
}

const endpointOptions: z.ZodType<OpenAIChatEndpointOptions> = z.strictObject({
  profile: z.enum(['auto', ...PROFILE_NAMES]).exactOptional(),
  organization: z.string().min(1).exactOptional(),
  project: z.string().min(1).exactOptional(),
});

interface Settings {
  profile: Profile;
  headers: Record<string, string>;
}

/** @throws AirframeError (invalid_request, code `configuration`) naming the option and its value */
export const settingsOf: (endpoint: EndpointSpec) => Settings = perEndpoint(endpoint => {
  const what = `options of endpoint ${endpoint.name}`;
  const options = check(endpointOptions, endpoint.options ?? {}, what, { code: 'configuration' });
  const { profile = 'auto' } = options;
  return {
    profile: profile === 'auto' ? profileOf(endpoint.baseUrl) : PROFILES[profile],
    headers: accountHeaders(endpoint, options),
  };
});

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
