import { resolve } from 'node:path';
import type { Environment } from '@x/avionics';
import type { Digests } from './file-text.ts';
import { ConfigError, type ConfigProblem } from './problem.ts';
import { type NodeConfig, type NodesConfig, nodeListSchema } from './provider-schema.ts';
import { Source } from './source.ts';

export interface IncludeOptions {
  /** Where relative paths begin. */
  baseDir: string;
  env: Environment;
}

/** A list of nodes that stands in another place than the configuration. */
export interface IncludedNodes {
  /** Absent: something is wrong with it. */
  nodes?: NodeConfig[];
  problems: readonly ConfigProblem[];
  /** The file that was read, or looked for. */
  files: Digests;
}

/** The nodes of a file, or of a variable; undefined: the configuration holds them itself, or Kubernetes has them. */
export async function readIncluded(
  config: NodesConfig,
  { baseDir, env }: IncludeOptions,
): Promise<IncludedNodes | undefined> {
  if ('file' in config) {
    const file = resolve(baseDir, config.file);
    try {
      const source = await Source.open(file, env);
      return { ...listOf(source), files: new Map([[file, source.digest]]) };
    } catch (error) {
      if (error instanceof ConfigError) return error;
      throw error;
    }
  }
  return 'env' in config ? ofVariable(config.env, env) : undefined;
}

function ofVariable(name: string, env: Environment): IncludedNodes {
  const text = env[name]?.trim();
  if (!text) {
    const message = 'is not set; give a list of nodes as JSON, or addresses with commas between them';
    return { problems: [{ path: name, message }], files: new Map() };
  }
  const json = text.startsWith('[') ? text : JSON.stringify(text.split(',').map(addressed));
  return listOf(new Source(json, name, env, { isSecret: true }));
}

/** `10.0.0.5:8080` and `http://10.0.0.5:8080` are a node `10.0.0.5-8080`. */
function addressed(given: string): NodeConfig {
  const address = given.trim();
  const baseUrl = /^\w+:\/\//.test(address) ? address : `http://${address}`;
  const name = baseUrl
    .replace(/^\w+:\/\//, '')
    .replace(/[^\w.]+/g, '-')
    .replace(/^[-_.]+|-+$/g, '');
  return { name, baseUrl };
}

function listOf(source: Source): IncludedNodes {
  const nodes = source.check(nodeListSchema);
  return { problems: source.problems, files: new Map(), ...(nodes && { nodes }) };
}
