import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { PROVIDER_TYPES } from '@x/avionics';
import { isLoopback } from './loopback.ts';
import type { Path } from './problem.ts';

export interface CrossCheckOptions {
  report(path: Path, message: string): void;
  /** A value as an error may show it. */
  shown(path: Path): string;
  /** Where relative paths begin. */
  baseDir: string;
  /** Address to listen on, where the environment says so. */
  host: string | undefined;
}

type Fields = Record<string, unknown>;
type Check = (config: Fields, options: CrossCheckOptions) => void;

/**
 * What one field asks of another. The value may break the schema in other places: those are passed over, so that
 * everything that is wrong is said at once.
 */
export function crossCheck(value: unknown, options: CrossCheckOptions): void {
  for (const check of CHECKS) check(fields(value), options);
}

const prices: Check = (config, { report }) => {
  for (const [type] of named(config['prices'])) {
    if (PROVIDER_TYPES.some(known => known === type)) continue;
    report(['prices', type], `is no type of provider; prices go by type: ${PROVIDER_TYPES.join(', ')}`);
  }
};

const providers: Check = (config, { report, baseDir, shown }) => {
  const all = named(config['providers']);
  if (all.length === 0 && isFields(config['providers']))
    report(['providers'], 'there is none; give one at least');
  for (const [name, provider] of all) {
    const path = ['providers', name];
    const { type, baseUrl, nodes, apiKey, modelPath } = provider;
    if (type === 'llamaserver') {
      if ((baseUrl === undefined) === (nodes === undefined)) {
        report(
          path,
          nodes ? 'has baseUrl and nodes; give one of the two' : 'has no address; give baseUrl or nodes',
        );
      }
      for (const field of nodes === undefined ? ['strategy', 'maxQueue', 'maxWait'] : []) {
        if (provider[field] !== undefined)
          report([...path, field], 'is for nodes; give nodes, or take it away');
      }
    }
    const isCloud = type === 'openai' || type === 'anthropic';
    if (isCloud && apiKey === undefined && baseUrl === undefined) {
      report(
        path,
        `has no apiKey; give one, such as ${KEY_EXAMPLES[type]}, or the baseUrl of a server that needs none`,
      );
    }
    if (type === 'azure' && apiKey === undefined) {
      report(path, `has no apiKey; give one, such as ${KEY_EXAMPLES.azure}`);
    }
    if (type === 'llamacpp' && typeof modelPath === 'string' && !existsSync(resolve(baseDir, modelPath))) {
      const at = [...path, 'modelPath'];
      report(at, `there is no file ${shown(at)} (from ${baseDir}); give the path of a GGUF file`);
    }
  }
};

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: it is what the user is to write.
const KEY_EXAMPLES = {
  openai: '${OPENAI_API_KEY}',
  anthropic: '${ANTHROPIC_API_KEY}',
  azure: '${AZURE_API_KEY}',
} as const;
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above.

const models: Check = (config, { report, shown }) => {
  const known = named(config['providers']).map(([name]) => name);
  const exposed = exposedModels(config);
  for (const [name, model] of named(config['models'])) {
    if (exposed.includes(name))
      report(['models', name], 'a provider exposes a model of that name; choose another');
    for (const [index, target] of list(model['targets']).entries()) {
      const { provider } = fields(target);
      if (typeof provider !== 'string' || known.includes(provider)) continue;
      const path = ['models', name, 'targets', index, 'provider'];
      report(path, `no provider is named ${shown(path)}; known: ${known.join(', ') || 'none'}`);
    }
  }
  const { defaultModel } = config;
  if (typeof defaultModel === 'string')
    unknownModel(config, defaultModel, ['defaultModel'], { report, shown });
};

const keys: Check = (config, options) => {
  const { report, shown } = options;
  const all = list(config['keys']).map(fields);
  for (const index of repeated(all.map(({ name }) => [name]))) {
    const path = ['keys', index, 'name'];
    report(path, `two keys are named ${shown(path)}; names must differ`);
  }
  for (const index of repeated(all.map(({ hash }) => [hash].flat()))) {
    report(['keys', index, 'hash'], 'this hash stands here twice; make a key with `airframe-gateway key`');
  }
  for (const [index, key] of all.entries()) {
    for (const [at, model] of list(key['models']).entries()) {
      if (typeof model !== 'string' || model.endsWith('*')) continue;
      unknownModel(config, model, ['keys', index, 'models', at], options);
    }
  }
};

const access: Check = (config, { report, host }) => {
  const { keys: given } = config;
  const listensOn = host ?? fields(config['server'])['host'] ?? '127.0.0.1';
  if (Array.isArray(given) && given.length === 0) {
    report(
      ['keys'],
      'the list is empty, so nobody could call; add a key, or take the line away to have one made',
    );
  } else if (typeof listensOn === 'string' && !isLoopback(listensOn)) {
    const where = host === undefined ? 'server.host' : 'GATEWAY_HOST';
    const why = `the gateway is to listen where others reach it (${where})`;
    const hasConsole = fields(config['console'])['enabled'] !== false;
    const hasAdmin = list(given).some(key => fields(key)['admin'] === true);
    if (given === undefined) report([], `${why}; give keys, made with \`airframe-gateway key\``);
    else if (hasConsole && !hasAdmin) {
      report(
        ['keys'],
        `${why}, and its console needs a key with admin: true; add one, or set console.enabled: false`,
      );
    }
  }
};

const limits: Check = (config, { report, shown }) => {
  const rules = list(config['limits']).map(fields);
  const keyNames = list(config['keys']).map(key => fields(key)['name']);
  for (const index of repeated(rules.map(({ name }) => [name]))) {
    const path = ['limits', index, 'name'];
    report(path, `two limits are named ${shown(path)}; names must differ`);
  }
  for (const [index, { scope, match }] of rules.entries()) {
    if (scope !== 'key' || typeof match !== 'string' || keyNames.includes(match)) continue;
    const path = ['limits', index, 'match'];
    report(
      path,
      `no key is named ${shown(path)}; known: ${[...new Set(keyNames.filter(isText))].join(', ') || 'none'}`,
    );
  }
};

const CHECKS: readonly Check[] = [prices, providers, models, keys, access, limits];

function unknownModel(
  config: Fields,
  name: string,
  path: Path,
  { report, shown }: Pick<CrossCheckOptions, 'report' | 'shown'>,
): void {
  const known = [...new Set([...Object.keys(fields(config['models'])), ...exposedModels(config)])];
  if (known.includes(name)) return;
  report(path, `no model is named ${shown(path)}; known: ${known.join(', ') || 'none'}`);
}

/** What clients may name beside the aliases. */
function exposedModels(config: Fields): string[] {
  return named(config['providers']).flatMap(([name, { expose }]) =>
    list(expose).map(model => `${name}/${model}`),
  );
}

/** Which entries have a value that stood before. */
function repeated(entries: readonly unknown[][]): number[] {
  const seen = new Set<unknown>();
  return entries.flatMap((values, index) => {
    const isRepeated = values.some(value => value !== undefined && isIn(seen, value));
    return isRepeated ? [index] : [];
  });
}

/** Whether it was there; it is from now on. */
function isIn(seen: Set<unknown>, value: unknown): boolean {
  const before = seen.size;
  return seen.add(value).size === before;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function named(value: unknown): [string, Fields][] {
  return Object.entries(fields(value)).map(([name, entry]) => [name, fields(entry)]);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
