import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { EndpointSpec } from '../../src/endpoint.ts';

export interface Figures {
  requests: number;
  /** Connections open now. */
  sockets: number;
  /** Bytes of streams given to the system so far, or waiting for it. */
  written: number;
  /** Streams whose client has let them write nothing for half a second. */
  waiting: number;
}

/** The process of `server.mjs`. */
export interface Backend {
  endpoint: EndpointSpec;
  figures(): Promise<Figures>;
  stop(): Promise<void>;
}

export async function startBackend(): Promise<Backend> {
  const child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)), { execArgv: [] });
  const port = await answerOf(child);
  return {
    endpoint: { name: 'leaks', backendKind: 'openai_chat', baseUrl: `http://127.0.0.1:${port}` },
    figures: async () => {
      child.send('figures');
      return (await answerOf(child)) as Figures;
    },
    stop: async () => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const [answer] = await once(child, 'message');
  return answer;
}

/** Resolves when the condition holds; the test's own time limit is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 20));
}

export function collectGarbage(): void {
  if (!global.gc) throw new Error('node has to run with --expose-gc');
  global.gc();
}
