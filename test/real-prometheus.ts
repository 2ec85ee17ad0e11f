import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../scripts/free-port.mjs';
import { ensurePrometheus } from '../scripts/prometheus.mjs';
import { until } from './real-llama-server.ts';

/** What is scraped, once a second. */
export interface ScrapeJob {
  name: string;
  /** Root of the server; `/metrics` is scraped. */
  url: string;
  /** Sent as a bearer token. */
  key?: string;
}

export interface RealPrometheus {
  /** Value of each series now, by its labels other than `job` and `instance`, as text: `{outcome="ok"}`; `{}` without any. */
  query(expression: string): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

/** Debian's Prometheus on a free loopback port, with a folder of its own. */
export async function startPrometheus(jobs: ScrapeJob[]): Promise<RealPrometheus> {
  const { prometheus } = await ensurePrometheus();
  const folder = mkdtempSync(join(tmpdir(), 'airframe-prometheus-'));
  const address = `127.0.0.1:${await freePort()}`;
  const config = join(folder, 'prometheus.yml');
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ scrape_configs: jobs.map(scrapeConfigOf) }));
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${folder}`,
    `--web.listen-address=${address}`,
  ];
  const child = spawn(prometheus, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', chunk => {
    log += chunk;
  });
  const get = (path: string) => fetch(`http://${address}${path}`);
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`prometheus exited with ${child.exitCode}:\n${log}`);
    const answer = await get('/-/ready').catch(() => undefined);
    return answer?.ok === true;
  });
  return {
    query: async expression => {
      const answer = await get(`/api/v1/query?query=${encodeURIComponent(expression)}`);
      const { data, error } = (await answer.json()) as Answer;
      if (!data) throw new Error(`prometheus refused ${expression}: ${error}`);
      return Object.fromEntries(data.result.map(({ metric, value }) => [labelsOf(metric), Number(value[1])]));
    },
    stop: async () => {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Of `/api/v1/query`: an instant vector. */
interface Answer {
  data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
  error?: string;
}

function scrapeConfigOf({ name, url, key }: ScrapeJob): object {
  return {
    job_name: name,
    scrape_interval: '1s',
    scrape_timeout: '1s',
    static_configs: [{ targets: [new URL(url).host] }],
    ...(key === undefined ? {} : { authorization: { credentials: key } }),
  };
}

function labelsOf({ __name__: _, job: __, instance: ___, ...labels }: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(',')}}`;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
