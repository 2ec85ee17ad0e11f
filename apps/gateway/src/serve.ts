import { dirname } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { App } from './app.ts';
import { makeKey } from './auth/keys.ts';
import { embeddedConfig, withKeys } from './config/embedded.ts';
import { findConfig, type LoadedConfig, loadConfig } from './config/load.ts';
import { isLoopback } from './config/loopback.ts';
import type { Config } from './config/schema.ts';
import { watchConfig } from './config/watch.ts';
import { createLog } from './observe/log.ts';
import { startTelemetry } from './observe/otel.ts';
import { VERSION } from './version.ts';

/** What is left open when all has ended may take so long to end by itself, in milliseconds. */
const LAST_MS = 1_000;

/**
 * Runs the gateway until it is told to stop.
 * @returns the exit code
 * @throws ConfigError, SettingsError, AirframeError or a system error when it cannot start
 */
export async function serve(env: NodeJS.ProcessEnv): Promise<number> {
  makeAllYoung();
  const path = findConfig(env);
  const loaded = path === undefined ? undefined : await loadConfig(path, env);
  const made = makeKey();
  const { config, adminKey } = loaded ? withKeys(loaded.config, made) : embeddedConfig(env, made);
  const log = createLog(config.log?.level ?? 'info');
  const endTelemetry = startTelemetry(env, log);
  const app = await App.start({
    config,
    log,
    baseDir: path === undefined ? process.cwd() : dirname(path),
    env,
    version: VERSION,
  });
  announce(app, config, { path, adminKey });
  const ending = new AbortController();
  const reload = loaded && follow(app, loaded, { made, env, signal: ending.signal, log });
  const signal = await told(() => void reload?.());
  log.info({ signal }, 'told to stop');
  ending.abort();
  // Whoever asks twice does not want to wait.
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => process.exit(1));
  await app.stop();
  await endTelemetry();
  // What is open still, as a last try to reach a collector is, must not keep the process.
  setTimeout(() => process.exit(0), LAST_MS).unref();
  return 0;
}

/**
 * V8 would make objects old at once of which many have lived long, as those of calls do while the gateway warms up or is
 * slow for a moment. From then on each call leaves an old one that holds all the rest of it until the next full
 * collection: calls take up to twice the time, in some processes and not in others, for good.
 */
function makeAllYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

interface Following {
  made: ReturnType<typeof makeKey>;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  log: ReturnType<typeof createLog>;
}

/** Takes changes of the configuration over. @returns reads it again */
function follow(app: App, loaded: LoadedConfig, { made, env, signal, log }: Following): () => Promise<void> {
  const watch = watchConfig(loaded, {
    env,
    signal,
    onChange: async config => {
      await app.reload(withKeys(config, made).config);
      log.info('the configuration has been read again');
    },
    onProblem: error => {
      app.reloadRefused();
      log.error({ reason: error.message }, 'the configuration was refused; the one before stays in use');
    },
  });
  return () => watch.reload();
}

/** Resolves with the signal that ends the process. */
function told(onHangup: () => void): Promise<NodeJS.Signals> {
  process.on('SIGHUP', onHangup);
  return new Promise(resolve => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
}

/** On stderr, for people: stdout is the log's. */
function announce(
  app: App,
  config: Config,
  { path, adminKey }: { path: string | undefined; adminKey: string | undefined },
): void {
  const models = app.runtime.catalog.entries().map(({ id }) => id);
  const lines = [
    '',
    `  Gateway   ${app.url}`,
    `  Models    ${models.join(', ')}`,
    `  Config    ${path ?? 'none: the demo model in this process; write a gateway.yaml for more'}`,
  ];
  if (config.console?.enabled !== false) {
    lines.push(`  Console   ${app.url}/${adminKey === undefined ? '' : `#key=${adminKey}`}`);
  }
  if (adminKey !== undefined) {
    lines.push(
      `  Key       ${adminKey}   (made for this run, and shown only now)`,
      '',
      '  Try it:',
      `    curl ${app.url}/v1/chat/completions -H 'authorization: Bearer ${adminKey}' \\`,
      `      -H 'content-type: application/json' -d '${sampleOf(config, models)}'`,
    );
  }
  if (!isLoopback(config.server?.host ?? '127.0.0.1')) {
    lines.push('', '  It listens for other machines: put TLS in front of it.');
  }
  process.stderr.write(`${lines.join('\n')}\n\n`);
}

/** A first request that works: it names a model where there is no default one. */
function sampleOf({ defaultModel }: Config, [first]: readonly string[]): string {
  const model =
    defaultModel === undefined && first !== undefined ? `"model": ${JSON.stringify(first)}, ` : '';
  return `{${model}"messages": [{"role": "user", "content": "What is 2+2?"}]}`;
}
