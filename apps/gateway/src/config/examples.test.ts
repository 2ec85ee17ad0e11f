import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from './load.ts';
import { configSchema } from './schema.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/deploy/', import.meta.url));
const HASH = (digit: string) => `sha256:${digit.repeat(64)}`;

/** What the examples take from the environment. */
const ENV = {
  ADMIN_KEY_HASH: HASH('0'),
  TEAM_A_KEY_HASH: HASH('1'),
  TEAM_A_NEXT_KEY_HASH: HASH('2'),
  LLAMA_NODES: 'http://llama:8080',
  REDIS_URL: 'redis://redis:6379',
  OPENAI_API_KEY: 'key',
  OPENAI_ORG_ID: 'org',
  OPENAI_PROJECT_ID: 'project',
  ANTHROPIC_API_KEY: 'key',
  AZURE_API_KEY: 'key',
  BOX_API_KEY: 'key',
  GPU_2_API_KEY: 'key',
  POOL_API_KEY: 'key',
};

describe('the examples', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gateway-examples-'));
    await cp(EXAMPLES, folder, { recursive: true });
    await cp(join(EXAMPLES, 'nodes.yaml'), join(folder, 'models/small.gguf'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('are three, and good', async () => {
    const names = (await readdir(folder)).filter(name => /^gateway\..*yaml$/.test(name));
    expect(names.toSorted()).toEqual(['gateway.cluster.yaml', 'gateway.full.yaml', 'gateway.minimal.yaml']);
    for (const name of names) {
      const { config } = await loadConfig(join(folder, name), ENV);
      expect(Object.keys(config.providers).length, name).toBeGreaterThan(0);
      const [first] = (await readFile(join(folder, name), 'utf8')).split('\n');
      expect(first).toBe('# yaml-language-server: $schema=../../gateway.schema.json');
    }
  });

  it('show in the full one every field of the configuration', async () => {
    const full = parse(await readFile(join(folder, 'gateway.full.yaml'), 'utf8'));
    const { $schema: _, ...fields } = configSchema.shape;
    expect(Object.keys(full).toSorted()).toEqual(Object.keys(fields).toSorted());
    const server = Object.keys(configSchema.shape.server.unwrap().shape);
    expect(Object.keys(full.server).toSorted()).toEqual(server.toSorted());
  });

  it('are good as JSON as well', async () => {
    const text = JSON.stringify(parse(await readFile(join(folder, 'gateway.cluster.yaml'), 'utf8')));
    await writeFile(join(folder, 'gateway.json'), text);
    await expect(loadConfig(join(folder, 'gateway.json'), ENV)).resolves.toBeDefined();
  });
});
