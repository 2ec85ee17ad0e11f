import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import type { NodeProfile } from '@x/avionics';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeKubernetes } from '../../../../test/kubernetes-api.ts';
import type { NodesConfig } from '../config/schema.ts';
import { type NodeSource, nodeSource } from './node-sources.ts';

const a: NodeProfile = { name: 'a', baseUrl: 'http://10.0.0.1:8080' };

describe('nodes', () => {
  it('stand in the configuration, and get the key of their provider where they have none', async () => {
    const own = { name: 'b', baseUrl: 'http://10.0.0.2:8080', apiKey: 'key-of-b' };
    const source = nodeSource([a, own], { apiKey: 'key-of-all' });
    expect(await source.profiles()).toEqual([{ ...a, apiKey: 'key-of-all' }, own]);
    await source.close();
  });

  it('stand in a file or a variable, with errors that say where', async () => {
    const baseDir = await mkdtemp(join(tmpdir(), 'gateway-nodes-'));
    await writeFile(join(baseDir, 'nodes.json'), JSON.stringify([a]));
    const from = (config: NodesConfig) =>
      nodeSource(config, { baseDir, env: { NODES: '10.0.0.1:8080' } }).profiles();
    expect(await from({ file: 'nodes.json' })).toEqual([a]);
    expect(await from({ env: 'NODES' })).toEqual([{ ...a, name: '10.0.0.1-8080' }]);
    await expect(from({ file: 'none.json' })).rejects.toThrow(/none.json there is no such file/);
    await expect(from({ env: 'OTHER' })).rejects.toThrow(/OTHER: is not set/);
    await rm(baseDir, { recursive: true });
  });
});

describe('nodes of Kubernetes', () => {
  const SLICES = '/apis/discovery.k8s.io/v1/namespaces/models/endpointslices';
  const MAPS = '/api/v1/namespaces/models/configmaps';
  let api: FakeKubernetes;
  let sources: NodeSource[] = [];
  let warnings: string[] = [];

  beforeEach(async () => {
    api = await FakeKubernetes.start();
  });
  afterEach(async () => {
    await Promise.all(sources.map(source => source.close()));
    await vi.waitFor(() => expect(api.sockets.size).toBe(0));
    await api.close();
    sources = [];
    warnings = [];
  });

  function cluster(kubernetes: Extract<NodesConfig, { kubernetes: unknown }>['kubernetes'], apiKey?: string) {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromOptions({
      clusters: [{ name: 'here', server: api.url, skipTLSVerify: true }],
      users: [{ name: 'me', token: 'token' }],
      contexts: [{ name: 'now', cluster: 'here', user: 'me', namespace: 'models' }],
      currentContext: 'now',
    });
    const note = (message: string) => void warnings.push(message);
    const logger = { debug: note, info: note, warn: note, error: note };
    const source = nodeSource({ kubernetes }, { kubeConfig, logger, ...(apiKey && { apiKey }) });
    sources.push(source);
    return source;
  }

  const slice = (...pods: string[]) => ({
    metadata: { name: 'llama-1', labels: { 'kubernetes.io/service-name': 'llama' } },
    endpoints: pods.map(name => ({
      addresses: [`10.0.0.${name.length}`],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', name },
    })),
    ports: [{ name: 'http', port: 8080 }],
  });
  const node = (pod: string) => ({ name: `${pod}:8080`, baseUrl: `http://10.0.0.${pod.length}:8080` });

  function collected(source: NodeSource) {
    const seen: string[][] = [];
    const stop = new AbortController();
    source.watch(profiles => void seen.push(profiles.map(({ name }) => name)), stop.signal);
    return { seen, stop: () => stop.abort() };
  }

  it('are the ready pods behind a Service, and follow it', async () => {
    api.put(SLICES, slice('p', 'pp'));
    const source = cluster({ service: 'llama' }, 'key-of-all');
    expect(await source.profiles()).toEqual([
      { ...node('p'), apiKey: 'key-of-all' },
      { ...node('pp'), apiKey: 'key-of-all' },
    ]);
    const { seen, stop } = collected(source);
    await vi.waitFor(() => expect(api.watches).toBe(1));
    api.put(SLICES, slice('p'));
    await vi.waitFor(() => expect(seen).toEqual([['p:8080']]));
    api.put(SLICES, slice());
    await vi.waitFor(() => expect(seen).toEqual([['p:8080'], []]));
    stop();
    api.put(SLICES, slice('p'));
    await vi.waitFor(async () => expect(await source.profiles()).toHaveLength(1));
    expect(seen).toHaveLength(2);
  });

  it('may be none at first, and are told of though they came before the watch began', async () => {
    const source = cluster({ service: 'llama', namespace: 'models', port: '8080' });
    expect(await source.profiles()).toEqual([]);
    await vi.waitFor(() => expect(api.watches).toBe(1));
    api.put(SLICES, slice('p'));
    await new Promise(resolve => setTimeout(resolve, 100));
    const { seen } = collected(source);
    await vi.waitFor(() => expect(seen).toEqual([['p:8080']]));
  });

  it('stand in a ConfigMap, of which only llama-servers are taken', async () => {
    const endpoint = (name: string, backendKind: string) => ({
      name,
      backendKind,
      baseUrl: 'http://10.0.0.1:8080',
      model: 'm',
      capacity: { maxConcurrent: 2 },
    });
    const data = {
      'a.json': JSON.stringify([endpoint('a', 'llama_server'), endpoint('b', 'openai_chat')]),
    };
    api.put(MAPS, { metadata: { name: 'nodes' }, data });
    expect(await cluster({ configMap: 'nodes' }).profiles()).toEqual([{ ...a, model: 'm', slots: 2 }]);
    expect(warnings).toEqual(['endpoint b is no node: its kind is openai_chat, not llama_server']);
  });

  it('are asked for again when the cluster could not be read', async () => {
    api.put(SLICES, slice('p'));
    api.refusals.list.push({ status: 403, message: 'forbidden' });
    const source = cluster({ service: 'llama' });
    await expect(source.profiles()).rejects.toMatchObject({ category: 'auth', status: 403 });
    expect(await source.profiles()).toEqual([node('p')]);
  });
});
