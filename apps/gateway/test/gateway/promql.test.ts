import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ensurePrometheus } from '../../../../scripts/prometheus.mjs';
import { Metrics } from '../../src/observe/metrics.ts';

const DOCS = fileURLToPath(new URL('../../../../docs', import.meta.url));
/** What a histogram's name gains in Prometheus. */
const SUFFIX = /_(bucket|sum|count)$/;

/** The expressions of the pages: a line of a fence each, but for comments. */
const expressions = readdirSync(DOCS, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.md'))
  .flatMap(file =>
    [...readFileSync(join(DOCS, file), 'utf8').matchAll(/^```promql\n([\s\S]*?)^```/gm)].flatMap(
      ([, code = '']) => code.split('\n').filter(line => line !== '' && !line.startsWith('#')),
    ),
  );

const metrics = new Metrics({
  version: 'test',
  inFlight: () => 0,
  waiting: () => 0,
  circuits: () => [],
  nodes: () => [],
  limits: async () => [],
});

describe('the PromQL of the guides', () => {
  it('names metrics that the gateway has', async () => {
    const known = new Set((await metrics.registry.getMetricsAsJSON()).map(({ name }) => name));
    const named = new Set(expressions.flatMap(text => text.match(/\b(gateway|nodejs|process)_\w+/g) ?? []));
    expect(expressions.length).toBeGreaterThan(20);
    expect([...named].filter(name => !known.has(name) && !known.has(name.replace(SUFFIX, '')))).toEqual([]);
  });

  it('is good by promtool', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'airframe-promql-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const rules = expressions.map((expr, index) => ({ record: `expression:${index}`, expr }));
    // JSON is YAML.
    const file = join(folder, 'rules.yaml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'guides', rules }] }));
    const child = spawn((await ensurePrometheus()).promtool, ['check', 'rules', file]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk));
    const [code] = await once(child, 'close');
    expect({ code, output }).toMatchObject({
      code: 0,
      output: expect.stringContaining(`${rules.length} rules found`),
    });
  });
});
