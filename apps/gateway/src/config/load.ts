import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Environment } from '@x/avionics';
import { crossCheck } from './cross-checks.ts';
import type { Digests } from './file-text.ts';
import { type IncludedNodes, readIncluded } from './included-nodes.ts';
import { overridesOf, withOverrides } from './overrides.ts';
import { ConfigError, type ConfigProblem } from './problem.ts';
import { type Config, configSchema, type NodesConfig } from './schema.ts';
import { Source } from './source.ts';

/** A configuration from a file. */
export interface LoadedConfig {
  /**
   * Checked, with all variables filled in and what the environment says over it. Paths are full, and nodes of a file or a
   * variable stand in the place of what named them.
   */
  config: Config;
  /** Full path of the file. */
  path: string;
  /** All files it was read from. */
  files: Digests;
}

const NAMES = ['gateway.yaml', 'gateway.yml', 'gateway.json'];

/**
 * The file that GATEWAY_CONFIG names, or one of the usual names in the working folder, which is the user's own when npm
 * runs this; undefined: there is none.
 */
export function findConfig(env: Environment = process.env): string | undefined {
  const folder = env['INIT_CWD'] || '.';
  if (env['GATEWAY_CONFIG']) return resolve(folder, env['GATEWAY_CONFIG']);
  return NAMES.map(name => resolve(folder, name)).find(path => existsSync(path));
}

/**
 * Reads and checks a YAML or JSON file.
 * @throws ConfigError with all that is wrong, each with its line
 */
export async function loadConfig(path: string, env: Environment = process.env): Promise<LoadedConfig> {
  const file = resolve(path);
  const baseDir = dirname(file);
  const source = await Source.open(file, env);
  const config = source.check(configSchema);
  const overrides = overridesOf(env);
  const value = source.value();
  if (value !== null && value !== undefined) {
    crossCheck(value, {
      report: (path, message) => source.report(path, message),
      shown: path => source.shown(path),
      baseDir,
      host: overrides.host,
    });
  }
  const included = await includedBy(value, baseDir, env);
  const files = new Map([
    [file, source.digest],
    ...[...included.values()].flatMap(({ files }) => [...files]),
  ]);
  const problems = [
    ...overrides.problems,
    ...source.problems.toSorted(byPlace),
    ...[...included.values()].flatMap(({ problems }) => problems),
  ];
  if (!config || problems.length > 0) throw new ConfigError(problems, files);
  return { config: withOverrides(settled(config, included, baseDir), overrides), path: file, files };
}

/** By providers: the lists of nodes that stand elsewhere. What the schema refuses is passed over. */
async function includedBy(
  value: unknown,
  baseDir: string,
  env: Environment,
): Promise<Map<string, IncludedNodes>> {
  const found = new Map<string, IncludedNodes>();
  const providers = (value as { providers?: unknown } | null | undefined)?.providers ?? {};
  for (const [name, provider] of Object.entries(providers)) {
    const nodes = (provider as { nodes?: unknown } | null)?.nodes;
    if (!isInclude(nodes)) continue;
    const included = await readIncluded(nodes, { baseDir, env });
    if (included) found.set(name, included);
  }
  return found;
}

function isInclude(nodes: unknown): nodes is NodesConfig {
  const { file, env } = (nodes ?? {}) as { file?: unknown; env?: unknown };
  return typeof file === 'string' || typeof env === 'string';
}

function settled(config: Config, included: ReadonlyMap<string, IncludedNodes>, baseDir: string): Config {
  const providers = Object.entries(config.providers).map(([name, provider]) => {
    const nodes = included.get(name)?.nodes;
    if (provider.type === 'llamaserver' && nodes) return [name, { ...provider, nodes }];
    if (provider.type !== 'llamacpp') return [name, provider];
    return [name, { ...provider, modelPath: resolve(baseDir, provider.modelPath) }];
  });
  return { ...config, providers: Object.fromEntries(providers) };
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
