import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { EndpointSpec } from '../endpoint.ts';
import type { RegistryChange } from './registry.ts';
import { StaticRegistry } from './static-registry.ts';

const endpoint = (name: string, port = 1): EndpointSpec => ({
  name,
  backendKind: 'llama_server',
  baseUrl: `http://127.0.0.1:${port}`,
});

/** A change by the names in it, with the port where it matters. */
function names(change: RegistryChange | undefined) {
  const of = (endpoints: readonly EndpointSpec[] = []) => endpoints.map(({ name }) => name).join();
  return `+${of(change?.added)} ~${of(change?.changed)} -${of(change?.removed)} =${of(change?.endpoints)}`;
}

describe('StaticRegistry.replace', () => {
  it('swaps the whole list', () => {
    const registry = new StaticRegistry([endpoint('a'), endpoint('b')]);
    registry.replace([endpoint('b', 2), endpoint('c')]);
    expect(registry.list()).toEqual([endpoint('b', 2), endpoint('c')]);
    expect(() => registry.get('a')).toThrow('no endpoint is named "a"; known: b, c');
  });

  it('names every problem of a bad list at once, and keeps the last good one', async () => {
    const registry = new StaticRegistry([endpoint('a')]);
    const watch = registry.watch();
    const bad = [
      { ...endpoint('x'), baseUrl: 'ftp://x' },
      endpoint('twice'),
      endpoint('twice', 2),
      { backendKind: 'llama_server', baseUrl: 'http://127.0.0.1' } as EndpointSpec,
      null as unknown as EndpointSpec,
      { ...endpoint('secret'), apiKey: 'sk-\nvery-secret' },
    ];
    const failure = (() => {
      try {
        return registry.replace(bad);
      } catch (error) {
        return error as Error;
      }
    })();
    expect(failure).toMatchObject({ category: 'invalid_request' });
    for (const problem of [
      'invalid endpoint "x": baseUrl: not an http',
      'two endpoints are named "twice"',
      'invalid endpoint number 4 (it has no name)',
      'invalid endpoint number 5',
      'invalid endpoint "secret": apiKey',
    ]) {
      expect(failure?.message).toContain(problem);
    }
    expect(failure?.message).not.toContain('very-secret');
    expect(registry.list()).toEqual([endpoint('a')]);
    registry.replace([endpoint('a'), endpoint('b')]);
    expect(names((await watch.next()).value)).toBe('+b ~ - =a,b');
  });
});

describe('watching a registry', () => {
  it('tells what was added, changed and removed, and the whole list after it', async () => {
    const registry = new StaticRegistry([endpoint('a'), endpoint('b'), endpoint('c')]);
    const watch = registry.watch();
    const next = watch.next();
    registry.replace([endpoint('a'), endpoint('b', 2), endpoint('d')]);
    expect((await next).value).toEqual({
      added: [endpoint('d')],
      changed: [endpoint('b', 2)],
      removed: [endpoint('c')],
      endpoints: [endpoint('a'), endpoint('b', 2), endpoint('d')],
    });
  });

  it('misses nothing that happens between watch() and the first next()', async () => {
    const registry = new StaticRegistry([]);
    const watch = registry.watch();
    registry.replace([endpoint('a')]);
    expect(names((await watch.next()).value)).toBe('+a ~ - =a');
  });

  it('gives a slow watcher all of it as one change, without what came and went', async () => {
    const registry = new StaticRegistry([endpoint('a')]);
    const watch = registry.watch();
    for (let port = 2; port < 1_000; port++) registry.replace([endpoint('a', port), endpoint(`b${port}`)]);
    registry.replace([endpoint('a'), endpoint('c')]);
    expect(names((await watch.next()).value)).toBe('+c ~ - =a,c');
  });

  it('says nothing when a list comes that is the same', async () => {
    const registry = new StaticRegistry([endpoint('a')]);
    const watch = registry.watch();
    const next = watch.next();
    registry.replace([{ ...endpoint('a') }]);
    registry.replace([endpoint('b')]);
    expect(names((await next).value)).toBe('+b ~ -a =b');
  });

  it('serves each watcher by itself, and several next() of one in their order', async () => {
    const registry = new StaticRegistry([]);
    const [one, two] = [registry.watch(), registry.watch()];
    const steps = [one.next(), one.next()];
    registry.replace([endpoint('a')]);
    registry.replace([endpoint('a'), endpoint('b')]);
    const changes = await Promise.all(steps);
    expect(changes.map(({ value }) => names(value))).toEqual(['+a ~ - =a', '+b ~ - =a,b']);
    expect(names((await two.next()).value)).toBe('+a,b ~ - =a,b');
  });

  it('ends when its signal fires, and leaves no listener on it', async () => {
    const registry = new StaticRegistry([]);
    const controller = new AbortController();
    const watch = registry.watch({ signal: controller.signal });
    const pending = watch.next();
    controller.abort();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    registry.replace([endpoint('a')]);
    expect(await watch.next()).toMatchObject({ done: true });
    expect(await registry.watch({ signal: controller.signal }).next()).toMatchObject({ done: true });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('ends when the loop over it is left, also while a next() is pending', async () => {
    const registry = new StaticRegistry([]);
    const { signal } = new AbortController();
    const watch = registry.watch({ signal });
    registry.replace([endpoint('a')]);
    for await (const change of watch) {
      expect(names(change)).toBe('+a ~ - =a');
      break;
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    const other = registry.watch();
    const pending = other.next();
    await other.return?.();
    expect(await pending).toMatchObject({ done: true });
  });

  it('ends when the registry closes, which keeps its list', async () => {
    const registry = new StaticRegistry([endpoint('a')]);
    const pending = registry.watch().next();
    await registry.close();
    expect(await pending).toMatchObject({ done: true });
    expect(await registry.watch().next()).toMatchObject({ done: true });
    expect(registry.get('a')).toEqual(endpoint('a'));
  });
});
