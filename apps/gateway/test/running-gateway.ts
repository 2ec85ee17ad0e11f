// A gateway in this process, on a free loopback port, for tests with real clients and real sockets.
import { PassThrough } from 'node:stream';
import type { RequestRecord } from '@x/console/contract';
import { onTestFinished } from 'vitest';
import { App } from '../src/app.ts';
import { hashOf } from '../src/auth/keys.ts';
import type { Config } from '../src/config/schema.ts';
import { configSchema } from '../src/config/schema.ts';
import { createLog } from '../src/observe/log.ts';

export const KEY = 'xg-test-key-of-a-client';
export const ADMIN = 'xg-test-key-of-an-admin';

export interface RunningGateway {
  url: string;
  app: App;
  /** Lines of the log so far, parsed. */
  log(): Record<string, unknown>[];
  stop(): Promise<void>;
}

type Partially = Omit<Config, 'keys'> & { keys?: Config['keys'] };

/** The two keys that {@link runGateway} gives to a configuration without keys. */
export const TEST_KEYS: NonNullable<Config['keys']> = [
  { name: 'client', hash: hashOf(KEY) },
  { name: 'admin', hash: hashOf(ADMIN), admin: true },
];

/** Starts a gateway and stops it with the test. */
export async function runGateway(config: Partially): Promise<RunningGateway> {
  const sink = new PassThrough();
  let text = '';
  sink.on('data', chunk => {
    text += chunk;
  });
  const app = await App.start({
    config: configSchema.parse({
      keys: TEST_KEYS,
      ...config,
      server: { port: 0, ...config.server },
    }),
    log: createLog('debug', sink),
    baseDir: process.cwd(),
    env: {},
    version: 'test',
  });
  const stop = () => app.stop(1_000);
  onTestFinished(stop);
  return {
    url: app.url,
    app,
    stop,
    log: () =>
      text
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Record<string, unknown>),
  };
}

export type { RequestRecord };
