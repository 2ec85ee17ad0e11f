import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The gateway's own parser: YAML 1.2, in which `on` is no boolean, as the host reads it. */
const { parse } = createRequire(join(ROOT, 'apps/gateway/package.json'))('yaml') as {
  parse(text: string): unknown;
};
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const namesIn = (folder: string, ending: string) =>
  readdirSync(join(ROOT, folder)).filter(name => name.endsWith(ending));

interface Step {
  uses?: string;
  run?: string;
  'working-directory'?: string;
}
interface Workflow {
  on: object;
  permissions?: object;
  jobs: Record<
    string,
    { steps: Step[]; strategy?: { matrix: Record<string, unknown[]> }; 'timeout-minutes'?: number }
  >;
}

const WORKFLOWS = namesIn('.github/workflows', '.yml').map(name => ({
  name,
  workflow: parse(read(`.github/workflows/${name}`)) as Workflow,
}));
const SCRIPTS = JSON.parse(read('package.json')).scripts as Record<string, string>;
/** npm's own words for scripts. */
const LIFECYCLE = ['test', 'start'];

const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(({ steps }) => steps);

/** The files and scripts that a command names, as far as they are this repository's. */
function missingIn(command: string, matrix: Record<string, unknown[]>): string[] {
  const benches = (matrix['bench'] ?? []).map(String);
  const commands = benches.length > 0 ? benches.map(one => command.replaceAll('$BENCH', one)) : [command];
  return commands.flatMap(text => [
    ...[...text.matchAll(/\bnode "?([\w./-]+\.mjs)/g)]
      .map(([, file = '']) => file.replace(/^(?:base|change)\//, ''))
      .filter(file => !existsSync(join(ROOT, file))),
    ...[...text.matchAll(/\bnpm run ([\w:-]+)/g)]
      .map(([, name = '']) => name)
      .filter(name => !(name in SCRIPTS)),
    ...[...text.matchAll(/\bnpm (\w+)/g)]
      .map(([, name = '']) => name)
      .filter(name => LIFECYCLE.includes(name) && !(name in SCRIPTS)),
  ]);
}

describe.each(WORKFLOWS)('the workflow $name', ({ workflow }) => {
  it('is triggered by something, may do only what it says, and ends by itself', () => {
    expect(Object.keys(workflow.on).length).toBeGreaterThan(0);
    expect(workflow.permissions).toBeDefined();
    for (const job of Object.values(workflow.jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0);
  });

  it('names each action by its major version', () => {
    const loose = stepsOf(workflow).filter(
      ({ uses }) => uses !== undefined && !/^[\w-]+\/[\w-]+@v\d+$/.test(uses),
    );
    expect(loose).toEqual([]);
  });

  it('runs only what is there', () => {
    const missing = Object.values(workflow.jobs).flatMap(({ steps, strategy }) =>
      steps.flatMap(({ run = '' }) => missingIn(run, strategy?.matrix ?? {})),
    );
    expect(missing).toEqual([]);
  });

  it('asks the gate only for steps that it has', () => {
    const steps = [...read('scripts/check.mjs').matchAll(/(?:step|tests)\(\s*'([^']+)'/g)].map(
      ([, name = '']) => name,
    );
    const asked = stepsOf(workflow).flatMap(
      ({ run = '' }) => /check\.mjs (.+)/.exec(run)?.[1]?.split(' ') ?? [],
    );
    expect(asked.filter(word => !steps.some(name => name.includes(word)))).toEqual([]);
  });
});

describe('the host’s other files', () => {
  it('runs the gate on the four lines of Node', () => {
    const ci = WORKFLOWS.find(({ name }) => name === 'ci.yml')?.workflow;
    expect(ci?.jobs['gate']?.strategy?.matrix['node']).toEqual([20, 22, 24, 26]);
  });

  it.each(namesIn('.github/ISSUE_TEMPLATE', '.yml').filter(name => name !== 'config.yml'))(
    'the form %s asks for something by name',
    name => {
      const form = parse(read(`.github/ISSUE_TEMPLATE/${name}`)) as {
        name: string;
        description: string;
        body: { type: string; id: string; attributes: { label: string } }[];
      };
      expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
      expect(new Set(form.body.map(({ id }) => id)).size).toBe(form.body.length);
      for (const { attributes } of form.body) expect(attributes.label).not.toBe('');
    },
  );

  it('sets up the dev container with a script that is there', () => {
    const { postCreateCommand } = JSON.parse(read('.devcontainer/devcontainer.json'));
    expect(missingIn(postCreateCommand, {})).toEqual([]);
  });
});
