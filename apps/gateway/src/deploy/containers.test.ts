import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../config/load.ts';

const DEPLOY = new URL('../../examples/deploy/', import.meta.url);
const read = (name: string) => readFile(new URL(name, DEPLOY), 'utf8');

describe('the container', () => {
  it('is built with the pnpm of this workspace, and runs as the user that Kubernetes is told', async () => {
    const dockerfile = await read('Dockerfile');
    const { packageManager } = JSON.parse(await read('../../../../package.json'));
    expect(dockerfile).toContain(`npm install --global ${packageManager}\n`);
    const { spec } = parse(await read('kubernetes/deployment.yaml'));
    const { runAsUser, runAsGroup } = spec.template.spec.securityContext;
    expect(dockerfile).toContain(`USER ${runAsUser}:${runAsGroup}\n`);
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:24\.\d+\.\d+-\w+-slim$/m);
    const { bin } = JSON.parse(await read('../../package.json'));
    expect(dockerfile).toContain(`ENTRYPOINT ["node", "/app/${bin['airframe-gateway'].slice(2)}"]`);
  });

  it('copies from stages that there are, and is checked where it listens', async () => {
    const dockerfile = await read('Dockerfile');
    const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, name]) => name);
    const used = [...dockerfile.matchAll(/--from=(\S+)|^FROM (?!\$)(\S+)/gm)].map(([, a, b]) => a ?? b);
    for (const stage of used) expect(stages).toContain(stage);
    const [, port] = /^EXPOSE (\d+)$/m.exec(dockerfile) ?? [];
    expect(dockerfile).toContain(`|| ${port}}/healthz`);
    const [, command = ''] = /^ {2}CMD (\[.*\])$/m.exec(dockerfile) ?? [];
    const script = JSON.parse(command).at(-1);
    expect(() => new Function(script)).not.toThrow();
  });
});

describe('the compose file', () => {
  it('gives its gateways a configuration that is good, and the time to drain', async () => {
    const compose = parse(await read('compose.yaml'));
    const { gateway } = compose.services;
    const example = Object.fromEntries(
      (await read('.env.example'))
        .split('\n')
        .filter(line => /^\w+=./.test(line))
        .map(line => line.split('=', 2)),
    );
    const env = Object.fromEntries(
      Object.entries<string>(gateway.environment).map(([name, value]) => [
        name,
        value.replace(/\$\{(\w+):-([^}]*)\}/g, (_, variable, instead) => example[variable] ?? instead),
      ]),
    );
    const name = env['GATEWAY_CONFIG']?.replace('/etc/gateway/', '') ?? '';
    const { config } = await loadConfig(fileURLToPath(new URL(name, DEPLOY)), env);
    expect(gateway.ports).toEqual([`127.0.0.1:8787-8788:${config.server?.port}`]);
    expect(Number.parseInt(gateway.stop_grace_period, 10)).toBeGreaterThan(config.server?.drain ?? 30);
    expect(Object.keys(compose.services)).toContain(new URL(config.redis?.url ?? '').hostname);
    expect(config.providers['llama']).toMatchObject({ nodes: [{ baseUrl: 'http://llama:8080' }] });
    expect(gateway.deploy.replicas).toBe(2);
  });

  it('has Prometheus ask all of its gateways', async () => {
    const { scrape_configs: jobs } = parse(await read('prometheus.yaml'));
    const { services, volumes } = parse(await read('compose.yaml'));
    for (const {
      dns_sd_configs: [{ names, port }],
    } of jobs) {
      expect(Object.keys(services)).toContain(names[0]);
      expect(services[names[0]].ports[0]).toMatch(new RegExp(`:${port}$`));
    }
    expect(services.prometheus.volumes[0]).toMatch(/^\.\/prometheus\.yaml:/);
    expect(Object.keys(volumes)).toEqual(['redis', 'prometheus']);
  });
});
