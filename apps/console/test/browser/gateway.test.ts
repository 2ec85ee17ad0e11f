import {
  type ScriptedLlamaServer,
  scriptedLlamaServer,
} from '../../../../packages/avionics/test/scripted-llama-server.ts';
import { App } from '../../../gateway/src/app.ts';
import { hashOf } from '../../../gateway/src/auth/keys.ts';
import { configSchema } from '../../../gateway/src/config/schema.ts';
import { createLog } from '../../../gateway/src/observe/log.ts';
import { describeConsole } from './console-suite.ts';
import type { Target } from './target.ts';

const ADMIN = 'xg-key-of-the-console-tests';
const CALLER = 'xg-key-of-a-caller-of-theirs';
const WORDS = 'A p95 of two seconds means that one call in twenty took longer than that. '.repeat(6);
const SCRIPT = { pieces: WORDS.match(/\S+ /g) ?? [], pieceDelayMs: 15 };
const LOAD_MS = 250;

/** The gateway itself, in this process, over llama-servers without a model. */
async function start(): Promise<Target> {
  const servers = await Promise.all([1, 2, 3].map(() => scriptedLlamaServer(SCRIPT)));
  for (const { says } of servers) says.slots = 4;
  let app = await startGateway(servers, 0);
  const { url } = app;
  const port = Number(new URL(url).port);
  let load: NodeJS.Timeout | undefined;
  const loadOff = () => clearInterval(load);
  const setNode = (ready: boolean) => {
    for (const { says } of servers.slice(1, 2)) says.ready = ready;
  };
  return {
    ...{ baseUrl: url, adminKey: ADMIN, models: ['pilot', 'second'], node: 'gpu-2', hasBudgets: true },
    actions: {
      loadOn: () => {
        loadOff();
        load = setInterval(() => void call(url), LOAD_MS);
      },
      loadOff,
      nodeDown: () => setNode(false),
      nodeUp: () => setNode(true),
      goDown: () => app.stop(100),
      comeBack: async () => {
        app = await startGateway(servers, port);
      },
    },
    stop: async () => {
      loadOff();
      await app.stop(100);
      await Promise.all(servers.map(server => server.close()));
    },
  };
}

function startGateway(servers: readonly ScriptedLlamaServer[], port: number): Promise<App> {
  const config = configSchema.parse({
    server: { port },
    providers: {
      local: {
        type: 'llamaserver',
        nodes: servers.map((server, index) => ({ name: `gpu-${index + 1}`, baseUrl: server.url })),
      },
    },
    models: {
      pilot: { targets: [{ provider: 'local' }] },
      second: { targets: [{ provider: 'local' }] },
    },
    keys: [
      { name: 'console', hash: hashOf(ADMIN), admin: true, requestsPerMinute: 1000 },
      { name: 'caller', hash: hashOf(CALLER), tokensPerMinute: 1_000_000, usdPerDay: 5 },
    ],
    console: { capture: true },
  });
  return App.start({ config, log: createLog('silent'), baseDir: process.cwd(), env: {}, version: 'test' });
}

async function call(url: string): Promise<void> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${CALLER}`,
      'content-type': 'application/json',
      'x-gateway-agent': 'load',
    },
    body: JSON.stringify({ model: 'pilot', messages: [{ role: 'user', content: 'Go on' }], stream: true }),
  }).catch(() => undefined);
  await response?.text().catch(() => undefined);
}

describeConsole('the gateway', start);
