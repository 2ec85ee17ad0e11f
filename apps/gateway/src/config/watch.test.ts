import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfig } from './load.ts';
import { ConfigError } from './problem.ts';
import type { Config } from './schema.ts';
import { type WatchConfigOptions, watchConfig } from './watch.ts';

let folder = '';
let stop = new AbortController();
/** Ports of the configurations that came, and messages of those that were no good. */
let seen: (number | undefined | string)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-watch-'));
  stop = new AbortController();
  seen = [];
});
afterEach(async () => {
  stop.abort();
  await rm(folder, { recursive: true, force: true });
});

const text = (port: number, more = '') => `server: {port: ${port}}\nproviders: {box: {type: mock}}\n${more}`;
const put = (name: string, content: string) => writeFile(join(folder, name), content);
/** At once, as a file that is written in place is not: that may be read half-written. */
async function replace(name: string, content: string) {
  await put('next', content);
  await rename(join(folder, 'next'), join(folder, name));
}
const portOf = ({ server }: Config) => server?.port;
/** Longer than it takes until files are read after an event. */
const quiet = () => sleep(300);

async function watched(path: string, options: Partial<WatchConfigOptions> = {}) {
  return watchConfig(await loadConfig(path, {}), {
    env: {},
    quietMs: 80,
    signal: stop.signal,
    onChange: config => void seen.push(portOf(config)),
    onProblem: error =>
      void seen.push(
        error.message
          .split('\n')
          .at(-1)
          ?.replace(/^.*gateway.yaml/, ''),
      ),
    ...options,
  });
}

const soon = (check: () => void) => vi.waitFor(check, { timeout: 5_000 });
const reach = (...expected: typeof seen) => soon(() => expect(seen).toEqual(expected));

describe('a change of the configuration is seen', () => {
  let path = '';
  beforeEach(async () => {
    path = join(folder, 'gateway.yaml');
    await put('gateway.yaml', text(1));
  });

  it('when the file is written in place', async () => {
    await watched(path);
    await put('gateway.yaml', text(2));
    await reach(2);
    await put('gateway.yaml', text(3));
    await reach(2, 3);
  });

  it('when another file takes its place, as editors do', async () => {
    await watched(path);
    for (const port of [2, 3]) {
      await put('.gateway.yaml.swp', text(port));
      await rename(join(folder, '.gateway.yaml.swp'), path);
      await soon(() => expect(seen.at(-1)).toBe(port));
    }
    expect(seen).toEqual([2, 3]);
  });

  it('when it is deleted, which changes nothing, and comes again', async () => {
    await watched(path);
    await unlink(path);
    await reach(' there is no such file; check the path');
    await replace('gateway.yaml', text(2));
    await reach(' there is no such file; check the path', 2);
  });

  it('when its folder is replaced', async () => {
    await mkdir(join(folder, 'etc'));
    const moved = join(folder, 'etc/gateway.yaml');
    await put('etc/gateway.yaml', text(1));
    await watched(moved, { lookEveryMs: 50 });
    await rename(join(folder, 'etc'), join(folder, 'old'));
    await mkdir(join(folder, 'etc'));
    await put('etc/gateway.yaml', text(2));
    await soon(() => expect(seen.at(-1)).toBe(2));
    await put('etc/gateway.yaml', text(3));
    await soon(() => expect(seen.at(-1)).toBe(3));
  });

  it('when it happened between loading and watching', async () => {
    const loaded = await loadConfig(path, {});
    await put('gateway.yaml', text(2));
    const onChange = (config: Config) => void seen.push(portOf(config));
    watchConfig(loaded, { env: {}, signal: stop.signal, onChange, onProblem: () => {} });
    await reach(2);
  });

  it('when the file is a link to another folder, where it is written', async () => {
    await mkdir(join(folder, 'real'));
    await put('real/config.yaml', text(1));
    await symlink('real/config.yaml', join(folder, 'link.yaml'));
    await watched(join(folder, 'link.yaml'));
    await put('real/config.yaml', text(2));
    await reach(2);
  });

  it('when the file of its nodes changes, appears or is wrong', async () => {
    const node = (slots: number) => JSON.stringify([{ name: 'a', baseUrl: 'http://127.0.0.1:1', slots }]);
    await put('gateway.yaml', 'providers: {box: {type: llamaserver, nodes: {file: nodes/a.json}}}');
    await mkdir(join(folder, 'nodes'));
    await put('nodes/a.json', node(1));
    const slots: unknown[] = [];
    await watched(path, {
      onChange: ({ providers: { box } }) => void slots.push(box?.type === 'llamaserver' && box.nodes),
    });
    await replace('nodes/a.json', node(2));
    await soon(() => expect(slots).toMatchObject([[{ slots: 2 }]]));
    await replace('nodes/a.json', node(0));
    await soon(() => expect(seen.join()).toContain('a.json:1:53 0.slots: too small: 0'));
    await replace('gateway.yaml', 'providers: {box: {type: llamaserver, nodes: {file: nodes/b.json}}}');
    await soon(() => expect(seen.join()).toContain('b.json there is no such file'));
    await replace('nodes/b.json', node(3));
    await soon(() => expect(slots).toMatchObject([[{ slots: 2 }], [{ slots: 3 }]]));
  });
});

describe('a ConfigMap in a pod', () => {
  /** As kubelet does it: the files in a folder of their own, `..data` a link to it, the files links through `..data`. */
  async function publish(version: string, content: string) {
    await mkdir(join(folder, `..${version}`));
    await put(`..${version}/gateway.yaml`, content);
    await symlink(`..${version}`, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  }

  it('is followed through its links, one swap after the other', async () => {
    await publish('1', text(1));
    await symlink('..data/gateway.yaml', join(folder, 'gateway.yaml'));
    await watched(join(folder, 'gateway.yaml'));
    for (const port of [2, 3, 4]) {
      await publish(String(port), text(port));
      await rm(join(folder, `..${port - 1}`), { recursive: true });
      await soon(() => expect(seen.at(-1)).toBe(port));
    }
    expect(seen).toEqual([2, 3, 4]);
  });
});

describe('a configuration that is watched', () => {
  let path = '';
  beforeEach(async () => {
    path = join(folder, 'gateway.yaml');
    await put('gateway.yaml', text(1));
  });

  it('stays when the new one is no good, which is told once', async () => {
    const problems: Error[] = [];
    await watched(path, { onProblem: error => void problems.push(error), lookEveryMs: 20 });
    await replace('gateway.yaml', text(-1, 'colour: red'));
    await soon(() => expect(problems).toHaveLength(1));
    await quiet();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toBeInstanceOf(ConfigError);
    expect(problems[0]).toMatchObject({
      problems: [
        { path: 'server.port', line: 1 },
        { path: 'colour', line: 3 },
      ],
    });
    expect(seen).toEqual([]);
    await replace('gateway.yaml', text(2));
    await reach(2);
  });

  it('counts as the same when only a comment or the order of its fields changes', async () => {
    await watched(path);
    await replace('gateway.yaml', `# new\n${text(1)}`);
    await quiet();
    await replace('gateway.yaml', 'providers: {box: {type: mock}}\nserver: {port: 1}');
    await quiet();
    expect(seen).toEqual([]);
  });

  it('is never loaded twice at once, and ends at the last of many changes', async () => {
    let running = 0;
    await watched(path, {
      quietMs: 1,
      onChange: async config => {
        expect(++running).toBe(1);
        await sleep(60);
        seen.push(portOf(config));
        running--;
      },
    });
    for (let port = 2; port <= 30; port++) {
      await replace('gateway.yaml', text(port));
      await sleep(port % 7);
    }
    await soon(() => expect(seen.at(-1)).toBe(30));
    await quiet();
    expect(seen.at(-1)).toBe(30);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(seen.toSorted((a, b) => Number(a) - Number(b)));
  });

  it('is read again on demand, changed or not, good or not', async () => {
    const { reload } = await watched(path, { quietMs: 10_000 });
    await reload();
    expect(seen).toEqual([1]);
    await replace('gateway.yaml', text(2));
    await Promise.all([reload(), reload()]);
    expect(seen.slice(0, 2)).toEqual([1, 2]);
    await replace('gateway.yaml', text(-1));
    await reload();
    expect(seen.at(-1)).toBe(':1:16 server.port: too small: -1; give at least 0');
  });

  it('is told of again when whoever was told could not use it', async () => {
    let fails = true;
    const { reload } = await watched(path, {
      onChange: config => {
        if (fails) throw new Error('no such model');
        seen.push(portOf(config));
      },
    });
    await replace('gateway.yaml', text(2));
    await reach('no such model');
    fails = false;
    await reload();
    await reach('no such model', 2);
  });

  it('is let alone once the signal has fired', async () => {
    const { reload } = await watched(path);
    stop.abort();
    await replace('gateway.yaml', text(2));
    await reload();
    await quiet();
    expect(seen).toEqual([]);
  });
});
