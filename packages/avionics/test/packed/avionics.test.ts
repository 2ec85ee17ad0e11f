import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PackedProject, packedProject } from '../../../../test/packed-project.ts';

/** Scripts that npm runs when it installs a package. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

const IN_PROCESS = `
  import { createLLMProvider, readSettings } from '@x/avionics';
  const settings = readSettings({ LLM_PROVIDER: 'llamacpp', LLAMACPP_MODEL_PATH: '/models/none.gguf' });
  await createLLMProvider('llamacpp', settings).generate('', 'Hi').catch(error => console.log(error.message));
`;
const REDIS = `
  import { connectRedisStore } from '@x/avionics/redis';
  await connectRedisStore('redis://127.0.0.1:1').catch(error => console.log(error.message));
`;

describe('@x/avionics without its optional peers, packed, in an empty project', () => {
  let project: PackedProject;
  beforeAll(async () => {
    project = await packedProject('airframe', 'avionics');
  });
  afterAll(() => project?.remove());

  it('streams through the gateway', async () => {
    const output = await project.node(`
      import { LLMGateway, readSettings } from '@x/avionics';
      const gateway = new LLMGateway(readSettings({ LLM_PROVIDER: 'mock' }));
      for await (const chunk of gateway.completeStream({ prompt: 'hello there' })) {
        process.stdout.write(chunk.text);
        if (chunk.isFinal) process.stdout.write('|' + chunk.cumulativeTokens);
      }
      await gateway.close();
    `);
    expect(output).toBe('mock answer to: hello there|5');
  });

  it.each([
    ['llama.cpp in this process', '@x/llamacpp-native', IN_PROCESS],
    ['a Redis', 'ioredis', REDIS],
  ])('says what to install for %s', async (_what, name, program) => {
    expect(await project.node(program)).toContain(`npm install ${name}`);
  });

  it('is at most 12 packages', () => {
    expect(project.packages.length).toBeLessThanOrEqual(12);
  });

  it('brings nothing native, and runs nothing when it is installed', () => {
    expect(project.files.filter(file => /\.(node|gyp)$/.test(file))).toEqual([]);
    expect(project.packages.filter(runsOnInstall)).toEqual([]);
    expect(project.packages.join()).not.toMatch(/llamacpp|node-llama|redis/);
  });
});

function runsOnInstall(folder: string): boolean {
  const { scripts = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return INSTALL_SCRIPTS.some(name => name in scripts);
}
