import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scriptedServer, sse } from '../../../../test/scripted-server.ts';
import { openAIChatAdapter } from '../adapters/openai-chat/index.ts';
import { collect } from '../collect.ts';
import { createHttp } from '../transport/http.ts';
import { withRetry } from '../wrap/retry.ts';
import { fakeAdapter, loadRecording, recordHttp, replayHttp, saveRecording } from './index.ts';

it('does with a script what the README says', async () => {
  const fake = fakeAdapter(
    [{ error: 'overloaded' }],
    [{ reasoning: 'a sum' }, 'Let me ', 'see. ', { toolCall: { name: 'add', arguments: { a: 2, b: 2 } } }],
    'It is 4.',
  );
  const endpoint = { name: 'test', backendKind: 'fake', baseUrl: 'http://127.0.0.1:1' };
  const ask = (content: string) =>
    collect(withRetry(fake).streamInfer(endpoint, { messages: [{ role: 'user', content }] }));

  const { text, toolCalls, attempts } = await ask('What is 2+2?');
  expect(text).toBe('Let me see. ');
  expect(toolCalls).toMatchObject([{ name: 'add', input: { a: 2, b: 2 } }]);
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['overloaded', 'ok']);
  expect((await ask('And now?')).text).toBe('It is 4.');
  expect(fake.calls).toHaveLength(3);
});

it('does with a recording what the README says', async () => {
  const chunk = { choices: [{ index: 0, delta: { content: 'It is 4.' }, finish_reason: 'stop' }] };
  const server = await scriptedServer(sse([chunk, '[DONE]']));
  const folder = await mkdtemp(join(tmpdir(), 'airframe-testing-'));
  const file = join(folder, 'recordings', 'sum.json');
  const endpoint = { name: 'test', backendKind: 'openai_chat', baseUrl: server.url };
  const question = { messages: [{ role: 'user' as const, content: 'What is 2+2?' }] };

  const http = recordHttp(createHttp());
  const live = await collect(openAIChatAdapter({ http }).streamInfer(endpoint, question));
  await saveRecording(file, http.recording());
  await http.close?.();
  await server.close();

  const replay = replayHttp(await loadRecording(file));
  const { text } = await collect(openAIChatAdapter({ http: replay }).streamInfer(endpoint, question));
  expect(text).toBe(live.text);
  replay.assertAllUsed();
  await rm(folder, { recursive: true });
});
