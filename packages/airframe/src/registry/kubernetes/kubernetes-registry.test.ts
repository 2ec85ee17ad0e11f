import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeKubernetes } from '../../../../../test/kubernetes-api.ts';
import type { AirframeError } from '../../errors.ts';
import type { RegistryChange } from '../registry.ts';
import { KubernetesRegistry, type KubernetesRegistryOptions } from './index.ts';

const TOKEN = 'a-token-that-must-show-up-nowhere';
const MAPS = '/api/v1/namespaces/models/configmaps';
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/models/endpointslices';

let api: FakeKubernetes;
let registries: KubernetesRegistry[] = [];
let problems: AirframeError[] = [];

beforeEach(async () => {
  api = await FakeKubernetes.start();
});

afterEach(async () => {
  await Promise.all(registries.map(registry => registry.close()));
  await vi.waitFor(() => expect(api.sockets.size).toBe(0));
  await api.close();
  expect(api.requests.map(({ method }) => method).filter(method => method !== 'GET')).toEqual([]);
  expect(dump(problems)).not.toContain(TOKEN);
  registries = [];
  problems = [];
});

/** All there is to an error, its stack and cause included. */
function dump(errors: unknown[]) {
  return errors
    .map(error => JSON.stringify(error) + String((error as Error).stack) + dumpCause(error))
    .join('\n');
}
const dumpCause = (error: unknown): string =>
  error instanceof Error && error.cause ? dump([error.cause]) : '';

function kubeConfig(server = api.url) {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'here', server, skipTLSVerify: true }],
    users: [{ name: 'me', token: TOKEN }],
    contexts: [{ name: 'now', cluster: 'here', user: 'me', namespace: 'models' }],
    currentContext: 'now',
  });
  return config;
}

async function open(options: Partial<KubernetesRegistryOptions> = { configMap: 'llm' }) {
  const onProblem = (problem: AirframeError) => void problems.push(problem);
  const registry = await KubernetesRegistry.open({ kubeConfig: kubeConfig(), onProblem, ...options });
  registries.push(registry);
  await vi.waitFor(() => expect(api.watches).toBe(api.requests.filter(({ verb }) => verb === 'list').length));
  return registry;
}

async function failure(options: Partial<KubernetesRegistryOptions> = { configMap: 'llm' }) {
  const error = await open(options).then(
    () => expect.unreachable(),
    error => error as AirframeError,
  );
  expect(dump([error])).not.toContain(TOKEN);
  return error;
}

const spec = (name: string, port = 1) => ({
  name,
  backendKind: 'llama_server',
  baseUrl: `http://10.0.0.1:${port}`,
});
const configMap = (...values: unknown[]) => ({
  metadata: { name: 'llm' },
  data: Object.fromEntries(
    values.map((value, index) => [
      `${index}.json`,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ),
});
const verbs = () => api.requests.map(({ verb }) => verb).join();
const lastQuery = () => api.requests.at(-1)?.query;

function collected(registry: KubernetesRegistry) {
  const changes: string[] = [];
  const of = (mark: string, endpoints: RegistryChange['added']) => endpoints.map(({ name }) => mark + name);
  void (async () => {
    for await (const { added, changed, removed } of registry.watch())
      changes.push([...of('+', added), ...of('~', changed), ...of('-', removed)].join(' '));
  })();
  return changes;
}

describe('endpoints in a ConfigMap', () => {
  it('are read once at the start, and only from the map that is named', async () => {
    api.put(MAPS, configMap(spec('a'), [spec('b'), spec('c')]));
    api.put(MAPS, { metadata: { name: 'other' }, data: { x: JSON.stringify(spec('x')) } });
    const registry = await open();
    expect(registry.list()).toEqual([spec('a'), spec('b'), spec('c')]);
    expect(registry.get('b')).toEqual(spec('b'));
    expect(() => registry.get('x')).toThrow('no endpoint is named "x"; known: a, b, c');
    expect(api.requests[0]).toMatchObject({
      path: MAPS,
      query: { fieldSelector: 'metadata.name=llm' },
      authorization: `Bearer ${TOKEN}`,
    });
  });

  it('are followed by a watch that begins where the list ended', async () => {
    api.put(MAPS, configMap(spec('a')));
    const listed = api.version;
    const registry = await open();
    const changes = collected(registry);
    expect(lastQuery()).toMatchObject({ resourceVersion: listed, allowWatchBookmarks: 'true' });
    api.put(MAPS, configMap(spec('a', 2), spec('b')));
    await vi.waitFor(() => expect(changes).toEqual(['+b ~a']));
    api.put(MAPS, configMap(spec('b')));
    await vi.waitFor(() => expect(changes).toEqual(['+b ~a', '-a']));
    expect(registry.list()).toEqual([spec('b')]);
    expect(verbs()).toBe('list,watch');
  });

  it('get their keys from apiKeyFor', async () => {
    api.put(MAPS, configMap(spec('a'), spec('b')));
    const registry = await open({
      configMap: 'llm',
      apiKeyFor: ({ name }) => (name === 'a' ? 'key-of-a' : undefined),
    });
    expect(registry.list()).toEqual([{ ...spec('a'), apiKey: 'key-of-a' }, spec('b')]);
  });

  it.each([
    ['text that is no JSON', ['{"password":"hunter2"'], /"0\.json" is no JSON/],
    [
      'a bad endpoint beside a good one',
      [spec('b'), { ...spec('c'), baseUrl: 'ftp://c' }],
      /"c": baseUrl: not/,
    ],
    ['a name used twice', [spec('b'), [spec('b')]], /two endpoints are named "b"/],
    ['a key', [{ ...spec('b'), apiKey: 'hunter2-hunter2' }], /"b" holds a key.*use apiKeyFor/],
    [
      'a key in a header',
      [{ ...spec('b'), headers: { authorization: 'Bearer hunter2' } }],
      /"b" holds a key/,
    ],
    ['all of it at once', ['x', { ...spec('b'), baseUrl: '' }, {}], /0\.json.*"b": baseUrl.*number 2/],
  ])('stay as they were last good when there comes %s', async (_what, values, message) => {
    api.put(MAPS, configMap(spec('a')));
    const registry = await open();
    const changes = collected(registry);
    api.put(MAPS, configMap(...values));
    await vi.waitFor(() => expect(problems).toHaveLength(1));
    expect(problems[0]).toMatchObject({ category: 'invalid_request' });
    expect(problems[0]?.message).toMatch(/^ConfigMap models\/llm: /);
    expect(problems[0]?.message).toMatch(message);
    expect(dump(problems)).not.toContain('hunter2');
    expect(registry.list()).toEqual([spec('a')]);
    api.put(MAPS, configMap(spec('a'), spec('d')));
    await vi.waitFor(() => expect(changes).toEqual(['+d']));
    expect(problems).toHaveLength(1);
  });

  it('stay as they were when apiKeyFor fails or gives what no header can carry', async () => {
    api.put(MAPS, configMap(spec('a')));
    const apiKeyFor = ({ name }: { name: string }) => {
      if (name === 'b') throw new Error('no file for b');
      return name === 'c' ? 'hunter2\n' : undefined;
    };
    const registry = await open({ configMap: 'llm', apiKeyFor });
    api.put(MAPS, configMap(spec('b'), spec('c')));
    await vi.waitFor(() => expect(problems).toHaveLength(1));
    expect(problems[0]?.message).toMatch(/apiKeyFor failed for "b": no file for b; .*"c": apiKey: .*newline/);
    expect(dump(problems)).not.toContain('hunter2');
    expect(registry.list()).toEqual([spec('a')]);
  });

  it('stay as they were when the map is deleted, and follow the one that comes after it', async () => {
    api.put(MAPS, configMap(spec('a')));
    const registry = await open();
    api.remove(MAPS, 'llm');
    await vi.waitFor(() =>
      expect(problems[0]?.message).toMatch(/there is no ConfigMap models\/llm; create it/),
    );
    expect(registry.list()).toEqual([spec('a')]);
    api.put(MAPS, configMap(spec('b')));
    await vi.waitFor(() => expect(registry.list()).toEqual([spec('b')]));
  });
});

describe('a watch', () => {
  it.each(['broken', 'in time'] as const)(
    'that ends (%s) is resumed: no change missed, none doubled',
    async how => {
      api.put(MAPS, configMap(spec('a')));
      const changes = collected(await open());
      api.put(MAPS, configMap(spec('a'), spec('b')));
      await vi.waitFor(() => expect(changes).toEqual(['+b']));
      const seen = api.version;
      api.endWatches(how);
      await vi.waitFor(() => expect(api.watches).toBe(0));
      api.put(MAPS, configMap(spec('a'), spec('b'), spec('c')));
      await vi.waitFor(() => expect(changes).toEqual(['+b', '+c']));
      expect(lastQuery()).toMatchObject({ resourceVersion: seen });
      expect(verbs()).toBe('list,watch,watch');
      expect(problems).toEqual([]);
    },
  );

  it('resumes from the last bookmark when nothing of its own happened', async () => {
    api.put(MAPS, configMap(spec('a')));
    await open();
    api.bookmark();
    const bookmarked = api.version;
    api.endWatches('in time');
    await vi.waitFor(() => expect(verbs()).toBe('list,watch,watch'));
    expect(lastQuery()).toMatchObject({ resourceVersion: bookmarked });
  });

  it.each(['status', 'event'] as const)(
    'begins anew with a list when its version is gone, by %s',
    async goneAs => {
      api.put(MAPS, configMap(spec('a'), spec('b')));
      const changes = collected(await open());
      api.goneAs = goneAs;
      api.endWatches('broken');
      await vi.waitFor(() => expect(api.watches).toBe(0));
      api.put(MAPS, configMap(spec('b'), spec('c')));
      api.compact();
      const compacted = api.version;
      await vi.waitFor(() => expect(changes).toEqual(['+c -a']), { timeout: 3_000 });
      await vi.waitFor(() => expect(verbs()).toBe('list,watch,watch,list,watch'));
      expect(lastQuery()).toMatchObject({ resourceVersion: compacted });
      api.put(MAPS, configMap(spec('c')));
      await vi.waitFor(() => expect(changes).toEqual(['+c -a', '-b']));
      expect(problems).toEqual([]);
    },
  );

  it('tells of an error event other than that, and begins anew with a list', async () => {
    api.put(MAPS, configMap(spec('a')));
    const registry = await open();
    api.fail(500, `etcd is away, ${TOKEN}`);
    await vi.waitFor(() => expect(verbs()).toBe('list,watch,list,watch'));
    expect(problems[0]).toMatchObject({
      category: 'backend',
      status: 500,
      message: expect.stringContaining('watch of configmaps in namespace models ended with 500: etcd'),
    });
    expect(registry.list()).toEqual([spec('a')]);
  });

  it('is resumed where it was after a connection that broke before the answer', async () => {
    api.put(MAPS, configMap(spec('a')));
    const changes = collected(await open());
    const seen = api.version;
    api.refusals.watch.push({ status: 0 });
    api.endWatches('broken');
    await vi.waitFor(() => expect(api.watches).toBe(0));
    api.put(MAPS, configMap(spec('b')));
    await vi.waitFor(() => expect(changes).toEqual(['+b -a']), { timeout: 3_000 });
    expect(verbs()).toBe('list,watch,watch,watch');
    expect(lastQuery()).toMatchObject({ resourceVersion: seen });
    expect(problems.map(({ category }) => category)).toEqual(['connection']);
  });

  it('tells of each refusal, and goes on as soon as there is none', async () => {
    api.put(MAPS, configMap(spec('a')));
    const changes = collected(await open());
    api.refusals.watch.push({ status: 429, headers: { 'retry-after': '0' } });
    api.refusals.watch.push({ status: 403, message: `not with ${TOKEN}` });
    api.endWatches('in time');
    await vi.waitFor(() => expect(api.watches).toBe(0));
    api.put(MAPS, configMap(spec('b')));
    await vi.waitFor(() => expect(changes).toEqual(['+b -a']), { timeout: 5_000 });
    expect(problems.map(({ category }) => category)).toEqual(['rate_limit', 'auth']);
    await vi.waitFor(() => expect(verbs()).toBe('list,watch,watch,watch,list,watch'));
  });
});

describe('endpoints from EndpointSlices', () => {
  const labels = { 'kubernetes.io/service-name': 'llama' };
  const endpointSlices = {
    labelSelector: 'kubernetes.io/service-name=llama',
    port: 'http',
    template: { backendKind: 'llama_server', model: 'small' },
  };
  const pod = (name: string, address: string, conditions: object = { ready: true }) => ({
    addresses: [address],
    conditions,
    targetRef: { kind: 'Pod', name },
  });
  const slice = (name: string, endpoints: object[], more: object = {}) => ({
    metadata: { name, labels },
    addressType: 'IPv4',
    ports: [
      { name: 'metrics', port: 9090 },
      { name: 'http', port: 8080 },
    ],
    endpoints,
    ...more,
  });
  const urls = (registry: KubernetesRegistry) =>
    Object.fromEntries(registry.list().map(({ name, baseUrl }) => [name, baseUrl]));

  it('are the ready pods of the services chosen, the rest of them from the template', async () => {
    api.put(
      SLICES,
      slice('one', [
        pod('ready', '10.0.0.1'),
        pod('unknown-is-ready', '10.0.0.2', {}),
        pod('starting', '10.0.0.3', { ready: false }),
        pod('leaving', '10.0.0.4', { ready: true, terminating: true }),
        { addresses: ['10.0.0.5'] },
      ]),
    );
    api.put(SLICES, { ...slice('not-chosen', [pod('x', '10.0.0.9')]), metadata: { name: 'not-chosen' } });
    const registry = await open({ endpointSlices });
    expect(urls(registry)).toEqual({
      'ready:8080': 'http://10.0.0.1:8080',
      'unknown-is-ready:8080': 'http://10.0.0.2:8080',
      '10.0.0.5:8080': 'http://10.0.0.5:8080',
    });
    expect(registry.get('ready:8080')).toMatchObject({ backendKind: 'llama_server', model: 'small' });
  });

  it('take a port by number, a scheme and a path, and IPv6 in brackets', async () => {
    api.put(SLICES, slice('six', [pod('a', 'fd00::1'), { addresses: ['fd00::2'] }], { addressType: 'IPv6' }));
    const registry = await open({
      endpointSlices: { ...endpointSlices, port: 9090, scheme: 'https', path: '/v1' },
    });
    expect(urls(registry)).toEqual({
      'a:9090': 'https://[fd00::1]:9090/v1',
      '[fd00::2]:9090': 'https://[fd00::2]:9090/v1',
    });
  });

  it('name a pod once that stands in several slices, with the same address whatever their order', async () => {
    api.put(SLICES, slice('six', [pod('a', 'fd00::1')], { addressType: 'IPv6' }));
    api.put(SLICES, slice('four', [pod('a', '10.0.0.1')]));
    const registry = await open({ endpointSlices });
    expect(urls(registry)).toEqual({ 'a:8080': 'http://10.0.0.1:8080' });
    api.put(SLICES, slice('four', []));
    await vi.waitFor(() => expect(urls(registry)).toEqual({ 'a:8080': 'http://[fd00::1]:8080' }));
  });

  it('come and go with the pods and the slices', async () => {
    const registry = await open({ endpointSlices });
    expect(registry.list()).toEqual([]);
    const changes = collected(registry);
    api.put(SLICES, slice('one', [pod('a', '10.0.0.1', { ready: false })]));
    api.put(SLICES, slice('one', [pod('a', '10.0.0.1'), pod('b', '10.0.0.2')]));
    await vi.waitFor(() => expect(changes).toEqual(['+a:8080 +b:8080']));
    api.put(SLICES, slice('one', [pod('a', '10.0.0.1', { ready: false }), pod('b', '10.0.0.3')]));
    await vi.waitFor(() => expect(changes.at(-1)).toBe('~b:8080 -a:8080'));
    api.put(SLICES, slice('two', [pod('c', '10.0.0.4')]));
    await vi.waitFor(() => expect(changes.at(-1)).toBe('+c:8080'));
    api.remove(SLICES, 'one');
    await vi.waitFor(() => expect(changes.at(-1)).toBe('-b:8080'));
    api.put(SLICES, slice('two', [], { ports: null, endpoints: null }));
    await vi.waitFor(() => expect(changes.at(-1)).toBe('-c:8080'));
    expect(problems).toEqual([]);
  });

  it('say so when the port is not there, and keep the others', async () => {
    api.put(SLICES, slice('one', [pod('a', '10.0.0.1')]));
    const registry = await open({ endpointSlices });
    api.put(SLICES, slice('two', [pod('b', '10.0.0.2')], { ports: [{ name: 'web', port: 80 }] }));
    await vi.waitFor(() => expect(problems).toHaveLength(1));
    expect(problems[0]?.message).toBe('EndpointSlice models/two: has no port http; it has: web (80)');
    expect(urls(registry)).toEqual({ 'a:8080': 'http://10.0.0.1:8080' });
    expect(await failure({ endpointSlices })).toMatchObject({ category: 'invalid_request' });
  });

  it('stand beside those of a ConfigMap, which come first where names are the same', async () => {
    api.put(MAPS, configMap(spec('a')));
    const registry = await open({ configMap: 'llm', endpointSlices });
    api.put(SLICES, slice('one', [pod('b', '10.0.0.2')]));
    await vi.waitFor(() => expect(registry.list().map(({ name }) => name)).toEqual(['a', 'b:8080']));
    api.put(MAPS, configMap(spec('b:8080', 7)));
    await vi.waitFor(() => expect(registry.list()).toEqual([spec('b:8080', 7)]));
    expect(problems[0]?.message).toMatch('two endpoints are named "b:8080"');
  });

  it('refuse a bad template before there is a pod', async () => {
    const template = { backendKind: 'Not A Kind' };
    expect((await failure({ endpointSlices: { ...endpointSlices, template } })).message).toMatch(
      /invalid endpointSlices: backendKind/,
    );
  });
});

describe('open', () => {
  it('names the permission that is missing, and no token', async () => {
    api.refusals.list.push({ status: 403, message: `User "me" with ${TOKEN} cannot list configmaps` });
    const error = await failure();
    expect(error).toMatchObject({ category: 'auth', status: 403 });
    expect(error.message).toMatch(/403 to list configmaps in namespace models: User "me" with \*\*\* cannot/);
    expect(error.message).toContain(
      'a Role with apiGroups: [""], resources: ["configmaps"], verbs: ["list", "watch"]',
    );
  });

  it('says when there is no such ConfigMap', async () => {
    expect(await failure()).toMatchObject({
      category: 'not_found',
      message: expect.stringContaining('models/llm'),
    });
  });

  it('says when the ConfigMap is bad from the start', async () => {
    api.put(MAPS, configMap('{'));
    expect(await failure()).toMatchObject({ category: 'invalid_request' });
  });

  it('says when the API does not know the path', async () => {
    api.refusals.list.push({ status: 404 });
    expect(await failure()).toMatchObject({ category: 'not_found', remedy: expect.stringContaining('1.21') });
  });

  it('says when nobody is there', async () => {
    const error = await failure({ configMap: 'llm', kubeConfig: kubeConfig('http://127.0.0.1:1') });
    expect(error).toMatchObject({ category: 'connection' });
    expect(error.message).toMatch(
      /API at http:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED.*; check/,
    );
  });

  it('says when the KubeConfig names no cluster, or the options nothing to read', async () => {
    const empty = await failure({ configMap: 'llm', kubeConfig: new KubeConfig() });
    expect(empty.message).toMatch('no current cluster');
    expect((await failure({})).message).toMatch('give configMap or endpointSlices');
  });

  it('says what to install when the client library is not there', async () => {
    vi.doMock('@kubernetes/client-node', () => {
      throw new Error('Cannot find package');
    });
    const { KubernetesRegistry: Fresh } = await import('./kubernetes-registry.ts');
    const opened = Fresh.open({ configMap: 'llm', onProblem: () => {} });
    await expect(opened).rejects.toThrow(/install it: npm install @kubernetes\/client-node/);
    vi.doUnmock('@kubernetes/client-node');
  });
});

describe('close', () => {
  const leftovers = () =>
    process.getActiveResourcesInfo().filter(what => what === 'Timeout' || what === 'TCPSocketWrap').length;

  it.each(['a watch is open', 'it waits for another try', 'a watch is not answered'])(
    'leaves nothing when %s',
    async when => {
      api.put(MAPS, configMap(spec('a')));
      const before = leftovers();
      const registry = await open();
      const pending = registry.watch().next();
      if (when === 'it waits for another try') {
        api.refusals.watch.push({ status: 503, headers: { 'retry-after': '60' } });
        api.endWatches('in time');
        await vi.waitFor(() => expect(problems).toHaveLength(1), { timeout: 3_000 });
      }
      if (when === 'a watch is not answered') {
        api.silent = true;
        api.endWatches('in time');
        await vi.waitFor(() => expect(verbs()).toBe('list,watch,watch'));
      }
      await registry.close();
      expect(await pending).toMatchObject({ done: true });
      await vi.waitFor(() => expect(api.sockets.size).toBe(0));
      await vi.waitFor(() => expect(leftovers()).toBeLessThanOrEqual(before));
      expect(registry.list()).toEqual([spec('a')]);
      const { length } = api.requests;
      await new Promise(resolve => setTimeout(resolve, 300));
      expect(api.requests).toHaveLength(length);
    },
  );
});
