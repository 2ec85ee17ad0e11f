import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { unknownFields } from './api-fields.ts';

const DEPLOY = fileURLToPath(new URL('../../examples/deploy/', import.meta.url));
const MANIFESTS = join(DEPLOY, 'kubernetes');

type Labels = Record<string, string>;

interface Container {
  name: string;
  ports?: { name: string; containerPort: number }[];
  envFrom?: { secretRef?: { name: string } }[];
  volumeMounts?: { name: string; mountPath: string }[];
  lifecycle?: { preStop: { exec: { command: string[] } } };
  securityContext: { readOnlyRootFilesystem: boolean };
  [probe: `${string}Probe`]: { httpGet?: { path: string; port: string } } | undefined;
}

interface Pod {
  serviceAccountName?: string;
  enableServiceLinks: boolean;
  terminationGracePeriodSeconds: number;
  securityContext: { runAsUser: number; runAsNonRoot: boolean };
  topologySpreadConstraints?: { labelSelector: { matchLabels: Labels } }[];
  containers: Container[];
  initContainers?: Container[];
  volumes?: { name: string; configMap?: { name: string }; emptyDir?: object }[];
}

interface Selector {
  matchLabels?: Labels;
  matchExpressions?: { key: string; values: string[] }[];
}

interface Peer {
  podSelector?: Selector;
  namespaceSelector?: object;
}

/** The fields of the manifests that these tests look at. */
interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  data?: Labels;
  stringData?: Labels;
  roleRef?: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace: string }[];
  rules?: { resources: string[]; verbs: string[] }[];
  spec: {
    selector: Selector & Labels;
    template: { metadata: { labels: Labels; annotations?: Labels }; spec: Pod };
    volumeClaimTemplates?: { metadata: { name: string } }[];
    serviceName?: string;
    ports: { name: string; port: number; targetPort: string }[];
    scaleTargetRef: { kind: string; name: string };
    minReplicas: number;
    metrics: { pods?: { metric: { name: string } } }[];
    podSelector: Selector;
    ingress: { from: Peer[]; ports?: { port: string | number }[] }[];
    egress?: { to: Peer[]; ports: { port: number }[] }[];
  };
}

const manifests: Manifest[] = [];
let config: Config;

const all = (...kinds: string[]) => manifests.filter(({ kind }) => kinds.includes(kind));
const workloads = () => all('Deployment', 'StatefulSet');

function one(kind: string, name: string): Manifest {
  const found = all(kind).filter(({ metadata }) => metadata.name === name);
  expect(found, `${kind} ${name}`).toHaveLength(1);
  return found[0] as Manifest;
}

/** The workloads whose pods a selector selects. */
function selected({ matchLabels = {}, matchExpressions = [] }: Selector): Manifest[] {
  return workloads().filter(({ spec: { template } }) => {
    const { labels } = template.metadata;
    return (
      Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
      matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))
    );
  });
}

const podOf = ({ spec }: Manifest) => spec.template.spec;
const portsOf = (workload: Manifest) => podOf(workload).containers.flatMap(({ ports = [] }) => ports);

beforeAll(async () => {
  const files = (await readdir(MANIFESTS)).filter(name => name !== 'kustomization.yaml');
  for (const file of files) {
    const documents = parseAllDocuments(await readFile(join(MANIFESTS, file), 'utf8'));
    for (const document of documents) {
      expect(document.errors, file).toEqual([]);
      manifests.push(document.toJS());
    }
  }
  const folder = await mkdtemp(join(tmpdir(), 'gateway-manifests-'));
  const text = one('ConfigMap', 'gateway-config').data?.['gateway.yaml'] ?? '';
  await writeFile(join(folder, 'gateway.yaml'), text);
  const env = one('Secret', 'gateway-secrets').stringData ?? {};
  ({ config } = await loadConfig(join(folder, 'gateway.yaml'), env));
  await rm(folder, { recursive: true });
});

describe('the manifests for Kubernetes', () => {
  it('are all in the kustomization, and all in one namespace', async () => {
    const kustomization = parse(await readFile(join(MANIFESTS, 'kustomization.yaml'), 'utf8'));
    const files = (await readdir(MANIFESTS)).filter(name => name !== 'kustomization.yaml');
    expect(kustomization.resources.toSorted()).toEqual(files.toSorted());
    for (const { kind, metadata } of manifests) {
      expect(kind === 'Namespace' ? metadata.name : metadata.namespace, metadata.name).toBe('airframe');
    }
  });

  it('have only fields that the API knows', () => {
    for (const manifest of manifests) expect(unknownFields(manifest)).toEqual([]);
    const misspelt = { ...one('Service', 'gateway'), spec: { port: [], ports: [{ targetport: 'http' }] } };
    expect(unknownFields(misspelt)).toEqual(['Service.spec.port', 'Service.spec.ports.0.targetport']);
  });

  it('select pods that there are', () => {
    for (const workload of workloads()) expect(selected(workload.spec.selector)).toEqual([workload]);
    for (const { spec } of all('Service')) expect(selected({ matchLabels: spec.selector })).toHaveLength(1);
    const gateway = one('Deployment', 'gateway');
    expect(selected(one('PodDisruptionBudget', 'gateway').spec.selector)).toEqual([gateway]);
    for (const { labelSelector } of podOf(gateway).topologySpreadConstraints ?? []) {
      expect(selected(labelSelector)).toEqual([gateway]);
    }
    expect(selected(one('NetworkPolicy', 'gateway').spec.podSelector)).toEqual([gateway]);
    expect(selected(one('NetworkPolicy', 'backends').spec.podSelector)).toHaveLength(2);
    for (const { from } of one('NetworkPolicy', 'backends').spec.ingress) {
      expect(from.map(({ podSelector = {} }) => selected(podSelector))).toEqual([[gateway]]);
    }
    // Where the gateway may go in here, somebody listens.
    for (const { to, ports } of one('NetworkPolicy', 'gateway').spec.egress ?? []) {
      for (const { podSelector } of to.filter(({ namespaceSelector }) => namespaceSelector === undefined)) {
        if (!podSelector) continue;
        const known = selected(podSelector)
          .flatMap(portsOf)
          .map(({ containerPort }) => containerPort);
        expect(known).toEqual(ports.map(({ port }) => port));
      }
    }
  });

  it('name ports that containers have', () => {
    for (const { spec } of all('Service')) {
      const known = selected({ matchLabels: spec.selector })
        .flatMap(portsOf)
        .map(({ name }) => name);
      for (const { targetPort } of spec.ports) expect(known).toContain(targetPort);
    }
    for (const container of workloads().flatMap(workload => podOf(workload).containers)) {
      const known = (container.ports ?? []).map(({ name }) => name);
      const probes = Object.entries(container).filter(([field]) => field.endsWith('Probe'));
      expect(probes.length).toBeGreaterThan(1);
      for (const [, probe] of probes) {
        const { httpGet } = probe as { httpGet?: { port: string } };
        if (httpGet) expect(known).toContain(httpGet.port);
      }
    }
    for (const { ports = [] } of one('NetworkPolicy', 'gateway').spec.ingress) {
      expect(portsOf(one('Deployment', 'gateway')).map(({ name }) => name)).toEqual(
        ports.map(({ port }) => port),
      );
    }
  });

  it('mount and read what there is', () => {
    for (const workload of workloads()) {
      const { volumes = [], containers, initContainers = [], serviceAccountName } = podOf(workload);
      const claims = (workload.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
      const known = [...volumes.map(({ name }) => name), ...claims];
      for (const { volumeMounts = [], envFrom = [] } of [...containers, ...initContainers]) {
        for (const { name } of volumeMounts) expect(known).toContain(name);
        for (const { secretRef } of envFrom) if (secretRef) one('Secret', secretRef.name);
      }
      for (const { configMap } of volumes) if (configMap) one('ConfigMap', configMap.name);
      if (serviceAccountName) one('ServiceAccount', serviceAccountName);
      if (workload.kind === 'StatefulSet') one('Service', workload.spec.serviceName ?? '');
    }
    for (const { roleRef, subjects = [] } of all('RoleBinding')) {
      one('Role', roleRef?.name ?? '');
      for (const { name } of subjects) one('ServiceAccount', name);
    }
  });

  it('run as no root, on a file system that cannot be written', () => {
    for (const pod of workloads().map(podOf)) {
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true });
      for (const { securityContext } of [...pod.containers, ...(pod.initContainers ?? [])]) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  it('scale by the metric that the adapter makes', async () => {
    const { scaleTargetRef, metrics, minReplicas } = one('HorizontalPodAutoscaler', 'gateway').spec;
    one(scaleTargetRef.kind, scaleTargetRef.name);
    expect(minReplicas).toBeGreaterThan(1);
    const adapter = parse(await readFile(join(DEPLOY, 'prometheus-adapter.values.yaml'), 'utf8'));
    const made = adapter.rules.custom.map((rule: { name: { as: string } }) => rule.name.as);
    expect(made).toEqual(metrics.flatMap(({ pods }) => pods?.metric.name ?? []));
  });
});

describe('the gateway in Kubernetes', () => {
  const gateway = () => one('Deployment', 'gateway');
  const container = () => podOf(gateway()).containers[0] as Container;

  it('has a configuration that is good with the variables of the Secret', () => {
    expect(config.keys?.map(({ admin = false }) => admin)).toContain(true);
    const { stringData = {} } = one('Secret', 'gateway-secrets');
    const text = one('ConfigMap', 'gateway-config').data?.['gateway.yaml'] ?? '';
    const used = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name);
    expect(Object.keys(stringData).toSorted()).toEqual(used.toSorted());
  });

  it('listens where its Service, its probes and Prometheus look', () => {
    const port = config.server?.port;
    expect(config.server?.host).toBe('0.0.0.0');
    expect(container().ports).toEqual([{ name: 'http', containerPort: port }]);
    const { annotations } = gateway().spec.template.metadata;
    expect(annotations).toMatchObject({
      'prometheus.io/port': String(port),
      'prometheus.io/path': '/metrics',
    });
    expect(config.metrics?.public).toBe(true);
    expect(container()['readinessProbe']?.httpGet?.path).toBe('/readyz');
    expect(container()['livenessProbe']?.httpGet?.path).toBe('/healthz');
  });

  it('finds its nodes and Redis by Services that there are', () => {
    const { llama } = config.providers;
    const nodes = llama?.type === 'llamaserver' && llama.nodes;
    if (!nodes || !('kubernetes' in nodes)) throw new Error('the nodes are to come from Kubernetes');
    const { service = '', port, namespace } = nodes.kubernetes;
    const { spec, metadata } = one('Service', service);
    expect(metadata.namespace).toBe(namespace);
    expect(spec.ports.map(({ name }) => name)).toContain(port);
    expect(one('Role', 'gateway').rules).toContainEqual(
      expect.objectContaining({ resources: ['endpointslices'], verbs: ['list', 'watch'] }),
    );
    const { hostname, port: redisPort } = new URL(config.redis?.url ?? '');
    expect(one('Service', hostname).spec.ports.map(({ port }) => port)).toEqual([Number(redisPort)]);
  });

  it('has the time to drain', () => {
    const { terminationGracePeriodSeconds } = podOf(gateway());
    const waits = Number(container().lifecycle?.preStop.exec.command.at(-1));
    expect(terminationGracePeriodSeconds).toBeGreaterThan((config.server?.drain ?? 30) + waits);
  });

  it('gets no variable GATEWAY_PORT from Kubernetes, and its configuration as a folder', () => {
    expect(podOf(gateway()).enableServiceLinks).toBe(false);
    expect(container().volumeMounts).toContainEqual({
      name: 'config',
      mountPath: '/etc/gateway',
      readOnly: true,
    });
  });
});
