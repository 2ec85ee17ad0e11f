import type { AirframeError, DoneEvent, InferenceRequest, InferenceStreamEvent } from '@x/airframe';
import { NodePool, type NodePoolOptions } from '../src/nodes/pool.ts';
import { NodePoolProvider, type NodePoolProviderOptions } from '../src/nodes/pool-provider.ts';
import type { NodeProfile } from '../src/nodes/profiles.ts';
import { type Script, type ScriptedLlamaServer, scriptedLlamaServer } from './scripted-llama-server.ts';

/** Scripted servers and pools over them; for tests. */
export class TestNodes {
  readonly #closing: (() => Promise<void>)[] = [];

  /** One server for each script, all with as many slots. */
  async servers(slots: number, ...scripts: Script[]): Promise<ScriptedLlamaServer[]> {
    const servers = await Promise.all(scripts.map(script => scriptedLlamaServer(script)));
    for (const server of servers) {
      server.says.slots = slots;
      this.later(() => server.close());
    }
    return servers;
  }

  /** Nodes `n0`, `n1` and so on, with two slots unless told otherwise. */
  pool(
    servers: readonly Pick<ScriptedLlamaServer, 'url'>[],
    options: NodePoolOptions = {},
    profile: Partial<NodeProfile> = {},
  ): NodePool {
    const profiles = servers.map(({ url }, index) => ({
      name: `n${index}`,
      baseUrl: url,
      slots: 2,
      ...profile,
    }));
    const pool = new NodePool(profiles, { healthIntervalMs: 20, ...options });
    this.later(() => pool.close());
    return pool;
  }

  provider(pool: NodePool, options: NodePoolProviderOptions = {}): NodePoolProvider {
    return new NodePoolProvider(pool, options);
  }

  /** What is to be closed after the test, the last one first. */
  later(close: () => Promise<void>): void {
    this.#closing.unshift(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0)) await close();
  }
}

export const REQUEST: InferenceRequest = {
  messages: [{ role: 'user', content: 'Where are we? '.repeat(60) }],
};

/** All events of a stream. */
export async function eventsOf(stream: AsyncIterable<InferenceStreamEvent>): Promise<InferenceStreamEvent[]> {
  const events: InferenceStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** The text of a stream and how it ended. */
export function summaryOf(events: readonly InferenceStreamEvent[]): {
  text: string;
  error: AirframeError | undefined;
  done: DoneEvent;
} {
  const text = events.map(event => (event.type === 'token' ? event.text : '')).join('');
  const error = events.find(event => event.type === 'error')?.error;
  const done = events.at(-1);
  if (done?.type !== 'done') throw new Error('the stream has no done event');
  return { text, error, done };
}
