import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from '../../apps/gateway/node_modules/yaml/dist/index.js';
import { loadConfig } from '../../apps/gateway/src/config/load.ts';
import { configSchema } from '../../apps/gateway/src/config/schema.ts';
import { allFences } from './modules.mjs';

interface Fence {
  file: string;
  line: number;
  lang: string;
  code: string;
  marks: Record<string, string>;
}

const fences: Fence[] = allFences();
const inLanguage = (...langs: string[]) =>
  fences.filter(({ lang, marks }) => langs.includes(lang) && !('no-check' in marks));

/** Languages that a test of this folder knows. A fence without one is a picture or an output. */
const KNOWN = /^(|ts|typescript|js|javascript|mjs|sh|bash|shell|json|jsonc|yaml|yml)$/;

describe('the fences of all Markdown', () => {
  it('are in languages that are checked, or say why not', () => {
    const unknown = fences.filter(({ lang, marks }) => !KNOWN.test(lang) && !('no-check' in marks));
    expect(unknown.map(({ file, line, lang }) => `${file}:${line}: ${lang}`)).toEqual([]);
  });

  it('parse, where they are JSON', () => {
    for (const { file, line, code } of inLanguage('json')) {
      expect(() => JSON.parse(code), `${file}:${line}`).not.toThrow();
    }
  });
});

describe('the YAML of all Markdown', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'airframe-yaml-'));
    await writeFile(join(folder, 'model.gguf'), '');
  });
  afterAll(() => rm(folder, { recursive: true }));

  const yaml = inLanguage('yaml', 'yml');

  it('parses', () => {
    for (const { file, line, code } of yaml) {
      const problems = parseAllDocuments(code).flatMap(document =>
        'errors' in document ? document.errors : [],
      );
      expect(problems, `${file}:${line}`).toEqual([]);
    }
  });

  it('passes the loader of the gateway, where it is a configuration or a part of one', async () => {
    const configs = yaml.filter(({ code }) => isConfig(parse(code)));
    expect(configs.length).toBeGreaterThan(0);
    for (const [index, { file, line, code }] of configs.entries()) {
      const path = join(folder, `${index}.yaml`);
      await writeFile(path, completed(code));
      await expect(loadConfig(path, variablesOf(code)), `${file}:${line}`).resolves.toBeDefined();
    }
  });
});

function isConfig(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every(key => Object.hasOwn(configSchema.shape, key));
}

/** A part of a configuration gets the providers that it speaks of. */
function completed(code: string): string {
  const { providers, models = {} } = parse(code) as {
    providers?: object;
    models?: Record<string, { targets?: { provider: string }[] }>;
  };
  if (providers) return code;
  const named = Object.values(models).flatMap(({ targets = [] }) => targets.map(({ provider }) => provider));
  const given = Object.fromEntries(
    (named.length ? named : ['box']).map((name, index) => [
      name,
      { type: 'llamaserver', baseUrl: `http://127.0.0.1:${8080 + index}` },
    ]),
  );
  return `${code}\n${stringify({ providers: given })}`;
}

/** A value for each variable that the text names, in the form that its name suggests. */
function variablesOf(code: string): Record<string, string> {
  const names = [...code.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
  return Object.fromEntries(names.map(name => [name, valueFor(name)]));
}

function valueFor(name: string): string {
  if (/HASH/.test(name)) return `sha256:${'0'.repeat(64)}`;
  if (/REDIS/.test(name)) return 'redis://127.0.0.1:6379';
  if (/URL|HOST|NODES|ENDPOINT/.test(name)) return 'http://127.0.0.1:8080';
  return 'value';
}
