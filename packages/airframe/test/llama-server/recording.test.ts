import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RealLlamaServer, startLlamaServer } from '../../../../test/real-llama-server.ts';
import {
  type Adapter,
  createHttp,
  type EndpointSpec,
  type HttpFn,
  type InferenceRequest,
  type InferenceStreamEvent,
  llamaServerAdapter,
  openAIChatAdapter,
} from '../../src/index.ts';
import { loadRecording, recordHttp, replayHttp, saveRecording } from '../../src/testing/index.ts';

const API_KEY = 'a key that nobody has';
const REQUEST: InferenceRequest = { messages: [{ role: 'user', content: 'What is 2+2?' }], temperature: 0 };

let folder: string;
let server: RealLlamaServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airframe-recording-'));
  server = await startLlamaServer({ apiKey: API_KEY });
});
afterEach(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The events of a streamed answer, a whole one, one that was left, and one refused, without what our clock says. */
async function conversation(adapter: Adapter, endpoint: EndpointSpec): Promise<InferenceStreamEvent[]> {
  const events: InferenceStreamEvent[] = [];
  for await (const event of adapter.streamInfer(endpoint, REQUEST)) events.push(event);
  for await (const event of adapter.streamInfer(endpoint, { ...REQUEST, stream: false })) events.push(event);
  for await (const event of adapter.streamInfer(endpoint, { ...REQUEST, maxTokens: 64 })) {
    events.push(event);
    break;
  }
  for await (const event of adapter.streamInfer({ ...endpoint, apiKey: 'wrong' }, REQUEST))
    events.push(event);
  const clocks = ['firstTokenMs', 'totalMs', 'startedAt', 'durationMs'];
  return JSON.parse(JSON.stringify(events, (key, value) => (clocks.includes(key) ? undefined : value)));
}

const adapters: [string, (http: HttpFn) => Adapter, Partial<EndpointSpec>, string][] = [
  ['native', http => llamaServerAdapter({ http }), { backendKind: 'llama_server' }, ''],
  ['openai_chat', http => openAIChatAdapter({ http }), { backendKind: 'openai_chat' }, '/v1'],
];

describe('a recorded conversation with a real llama-server', () => {
  it.each(adapters)(
    'is the same again from a file, without the server: %s',
    async (_name, make, spec, path) => {
      const file = join(folder, 'conversation.json');
      const endpoint = { name: 'real', backendKind: '', model: 'pilot', apiKey: API_KEY, ...spec };
      const baseUrl = server.url + path;
      const network = createHttp();
      const recorder = recordHttp(network);
      const live = await conversation(make(recorder), { ...endpoint, baseUrl });
      await network.close?.();
      await saveRecording(file, recorder.recording());
      await server.stop();

      const recording = await loadRecording(file);
      expect(JSON.stringify(recording)).not.toContain(API_KEY);
      expect(live.filter(({ type }) => type === 'done')).toMatchObject([
        { finishReason: 'stop', usage: { source: 'reported' } },
        { finishReason: 'stop' },
        { finishReason: 'error' },
      ]);
      for (const split of ['recorded', 'bytes', { seed: 1 }] as const) {
        const replay = replayHttp(recording, { split });
        expect(await conversation(make(replay), { ...endpoint, baseUrl })).toEqual(live);
        replay.assertAllUsed();
      }
    },
  );
});
