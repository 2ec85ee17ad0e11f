import { afterEach, describe, expect, it, vi } from 'vitest';
import { json, scriptedServer } from '../../../../test/scripted-server.ts';
import { llamaServerAdapter } from '../adapters/llama-server/index.ts';
import type { EndpointSpec, HealthReport, HealthState } from '../endpoint.ts';
import { StaticRegistry } from '../registry/static-registry.ts';
import { type HealthChange, HealthMonitor, type HealthMonitorOptions } from './health-monitor.ts';
import { HttpHealthProbe } from './http-health-probe.ts';

const endpoint = (name: string, port = 1): EndpointSpec => ({
  name,
  backendKind: 'llama_server',
  baseUrl: `http://127.0.0.1:${port}`,
});

/** A probe whose looks end when the test says so. */
class HeldProbe {
  readonly looks: { endpoint: EndpointSpec; signal: AbortSignal; see(state: HealthState): void }[] = [];

  check(endpoint: EndpointSpec, signal: AbortSignal = new AbortController().signal): Promise<HealthReport> {
    return new Promise(resolve => {
      const see = (state: HealthState) => resolve({ state, checkedAt: 1, latencyMs: 1 });
      this.looks.push({ endpoint, signal, see });
      signal.addEventListener('abort', () => see('unhealthy'));
    });
  }

  names() {
    return this.looks.map(look => look.endpoint.name).join();
  }
}

describe('HealthMonitor', () => {
  const monitors: HealthMonitor[] = [];
  const changes: string[] = [];
  afterEach(async () => {
    await Promise.all(monitors.splice(0).map(monitor => monitor.close()));
    changes.length = 0;
  });

  function watched(registry: StaticRegistry, options: Partial<HealthMonitorOptions> = {}) {
    const probe = new HeldProbe();
    const onChange = ({ endpoint, from, to }: HealthChange) =>
      void changes.push(`${endpoint.name}: ${from.state} → ${to.state}`);
    const monitor = new HealthMonitor({ registry, probe, onChange, intervalMs: 5, ...options });
    monitors.push(monitor);
    return { probe, monitor };
  }

  it('looks at once and again, and tells when a state is another than before', async () => {
    const { probe, monitor } = watched(new StaticRegistry([endpoint('a')]));
    expect(monitor.last('a')).toMatchObject({ state: 'unknown' });
    for (const [number, state] of (['loading', 'healthy', 'healthy', 'unhealthy'] as const).entries()) {
      await vi.waitFor(() => expect(probe.looks).toHaveLength(number + 1));
      probe.looks.at(-1)?.see(state);
      await vi.waitFor(() => expect(monitor.last('a').state).toBe(state));
    }
    expect(changes).toEqual(['a: unknown → loading', 'a: loading → healthy', 'a: healthy → unhealthy']);
  });

  it('has no more looks under way than allowed', async () => {
    const registry = new StaticRegistry(['a', 'b', 'c', 'd'].map(name => endpoint(name)));
    const { probe } = watched(registry, { maxConcurrent: 2, intervalMs: 60_000 });
    expect(probe.names()).toBe('a,b');
    probe.looks[1]?.see('healthy');
    await vi.waitFor(() => expect(probe.names()).toBe('a,b,c'));
    probe.looks[0]?.see('healthy');
    probe.looks[2]?.see('healthy');
    await vi.waitFor(() => expect(probe.names()).toBe('a,b,c,d'));
  });

  it('follows the registry: looks at what is new at once, forgets what is gone', async () => {
    const registry = new StaticRegistry([endpoint('a'), endpoint('b')]);
    const { probe, monitor } = watched(registry, { intervalMs: 60_000 });
    for (const look of probe.looks) look.see('healthy');
    await vi.waitFor(() => expect(monitor.last('b').state).toBe('healthy'));
    registry.replace([endpoint('a', 2), endpoint('c')]);
    await vi.waitFor(() => expect(probe.names()).toBe('a,b,c,a'));
    expect(monitor.last('a').state).toBe('unknown');
    expect(monitor.last('b').state).toBe('unknown');
    expect(probe.looks[3]?.endpoint).toEqual(endpoint('a', 2));
  });

  it('takes no word from a look at an endpoint that has changed meanwhile', async () => {
    const registry = new StaticRegistry([endpoint('a')]);
    const { probe, monitor } = watched(registry, { intervalMs: 60_000 });
    registry.replace([endpoint('a', 2)]);
    await vi.waitFor(() => expect(probe.looks).toHaveLength(2));
    expect(probe.looks[0]?.signal.aborted).toBe(true);
    expect(monitor.last('a').state).toBe('unknown');
    probe.looks[1]?.see('healthy');
    await vi.waitFor(() => expect(changes).toEqual(['a: unknown → healthy']));
  });

  it.each(['its own close()', 'its signal', 'the close of the registry'])('stops by %s', async how => {
    const registry = new StaticRegistry([endpoint('a'), endpoint('b')]);
    const controller = new AbortController();
    const { probe, monitor } = watched(registry, { signal: controller.signal, maxConcurrent: 1 });
    if (how === 'its own close()') await monitor.close();
    if (how === 'its signal') controller.abort();
    if (how === 'the close of the registry') await registry.close();
    await vi.waitFor(() => expect(probe.looks[0]?.signal.aborted).toBe(true));
    await monitor.close();
    registry.replace([endpoint('c')]);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(probe.names()).toBe('a');
    expect(changes).toEqual([]);
  });

  it('never starts when its signal has fired before', async () => {
    const { probe } = watched(new StaticRegistry([endpoint('a')]), { signal: AbortSignal.abort() });
    expect(probe.looks).toEqual([]);
  });

  it('keeps no process alive between looks', async () => {
    const timers = () => process.getActiveResourcesInfo().filter(what => what === 'Timeout').length;
    const { probe, monitor } = watched(new StaticRegistry([endpoint('a')]), { intervalMs: 60_000 });
    probe.looks[0]?.see('healthy');
    const before = timers();
    await vi.waitFor(() => expect(monitor.last('a').state).toBe('healthy'));
    expect(timers()).toBe(before);
  });

  it('sees a real server come up', async () => {
    const loading = json(503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } });
    const server = await scriptedServer(loading, loading, json(200, { status: 'ok' }));
    const adapter = llamaServerAdapter();
    try {
      const registry = new StaticRegistry([{ ...endpoint('real'), baseUrl: server.url }]);
      const { monitor } = watched(registry, { probe: new HttpHealthProbe({ adapters: [adapter] }) });
      await vi.waitFor(() => expect(monitor.last('real').state).toBe('healthy'));
      await monitor.close();
    } finally {
      await adapter.close();
      await server.close();
    }
    expect(changes).toEqual(['real: unknown → loading', 'real: loading → healthy']);
  });
});
