import type { Environment } from '@x/avionics';
import { type ConfigProblem, shown } from './problem.ts';
import type { Config } from './schema.ts';

export interface Overrides {
  host?: string;
  port?: number;
  problems: readonly ConfigProblem[];
}

/** What the environment says over the file: GATEWAY_HOST and GATEWAY_PORT. */
export function overridesOf(env: Environment): Overrides {
  const host = env['GATEWAY_HOST']?.trim();
  const given = env['GATEWAY_PORT']?.trim();
  const own = host ? { host } : {};
  // To pods beside a Service named `gateway` Kubernetes gives this variable with the Service's address, tcp://….
  if (!given || given.startsWith('tcp://')) return { ...own, problems: [] };
  const port = /^\d{1,5}$/.test(given) ? Number(given) : Number.NaN;
  if (port <= 65_535) return { ...own, port, problems: [] };
  const message = `not a port: ${shown(given)}; give a number from 0 to 65535`;
  return { ...own, problems: [{ path: 'GATEWAY_PORT', message }] };
}

export function withOverrides(config: Config, { host, port }: Overrides): Config {
  const server = {
    ...config.server,
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
  };
  return { ...config, server };
}
