// A gateway over llama-servers of scripts, each with one slot.
import type { NodeCard } from '@x/console/contract';
import { onTestFinished } from 'vitest';
import {
  type Script,
  type ScriptedServer,
  type SeenRequest,
  scriptedServer,
} from '../../../../test/scripted-server.ts';
import { nodesOf } from '../../src/live-facts.ts';
import type { RunningGateway } from '../running-gateway.ts';
import { type FaultyGateway, type FaultyOptions, gatewayOver } from './gateway.ts';

const PROPS = { total_slots: 1, default_generation_settings: { n_ctx: 4_096 }, model_path: 'up-model' };

/** A llama-server whose n-th call gets the n-th script; questions after its state are answered always. */
export async function node(...scripts: Script[]): Promise<ScriptedServer> {
  let calls = 0;
  const server = await scriptedServer((response, seen) => {
    if (seen.method === 'POST') return (scripts[calls++] ?? scripts.at(-1))?.(response, seen);
    response.writeHead(seen.path.startsWith('/props') ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(PROPS));
  });
  onTestFinished(() => server.close());
  return server;
}

export const callsOf = ({ seen }: ScriptedServer): SeenRequest[] =>
  seen.filter(({ method }) => method === 'POST');

/** The model `fast` is served by these nodes, one call at a time each. */
export async function gatewayOnNodes(
  nodes: readonly ScriptedServer[],
  {
    maxQueue,
    maxWait,
    maxRetries = 0,
    ...options
  }: FaultyOptions & { maxQueue?: number; maxWait?: number } = {},
): Promise<FaultyGateway> {
  const profiles = nodes.map(({ url: baseUrl }, index) => ({ name: `n${index}`, baseUrl, slots: 1 }));
  const waiting = { ...(maxQueue ? { maxQueue } : {}), ...(maxWait ? { maxWait } : {}) };
  const pool = { type: 'llamaserver' as const, nodes: profiles, maxRetries, ...waiting };
  return gatewayOver([], {
    ...options,
    more: { providers: { pool }, models: { fast: { targets: [{ provider: 'pool' }] } }, ...options.more },
  });
}

/** The nodes as the console sees them. */
export const cardsOf = ({ app }: RunningGateway): NodeCard[] => nodesOf(app.runtime);

/** Calls that wait for a slot. */
export function waitingIn({ app }: RunningGateway): number {
  return [...app.runtime.providers.values()].reduce(
    (sum, { pool }) => sum + (pool?.snapshot().waiting ?? 0),
    0,
  );
}
