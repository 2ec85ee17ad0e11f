import { afterAll, beforeAll, expect, it } from 'vitest';
import { collectGarbage, until } from '../../../../test/resources.ts';
import { openAIChatAdapter } from '../../src/adapters/openai-chat/index.ts';
import { type Backend, startBackend } from './backend.ts';

const MB = 1024 * 1024;
/** More than the system's socket buffers hold of one connection, and far less than there is to send. */
const BUFFERED = 24 * MB;
const STALLED = 64;

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const adapter = openAIChatAdapter();
const infer = (model: string) => adapter.streamInfer(backend.endpoint, { model, prompt: 'hi' });
const pause = () => new Promise(resolve => setTimeout(resolve, 1));

const residentBytes = () => process.memoryUsage.rss();

/** @returns the most memory that was in use while a stream was read with pauses */
async function readSlowly(model: string): Promise<number> {
  let peak = 0;
  let tokens = 0;
  for await (const event of infer(model)) {
    if (event.type === 'done') expect(event.finishReason).toBe('stop');
    if (event.type !== 'token') continue;
    if (++tokens % 100 === 0) await pause();
    if (tokens % 1_000 === 0) peak = Math.max(peak, residentBytes());
  }
  return peak;
}

it.each(['', '.gz'])('reads 200 MB%s in no more memory than 20 MB', { timeout: 120_000 }, async coding => {
  const before = await readSlowly(`20MB${coding}`);
  const peak = await readSlowly(`200MB${coding}`);
  expect(peak - before).toBeLessThan(20 * MB);
});

it(`has ${STALLED} backends wait for readers that stopped, in flat memory`, {
  timeout: 120_000,
}, async () => {
  const { written: earlier } = await backend.figures();
  const streams = Array.from({ length: STALLED }, () => infer('200MB'));
  await Promise.all(streams.map(stream => stream.next()));
  collectGarbage();
  const before = residentBytes();
  await until(async () => (await backend.figures()).waiting === STALLED);
  const { written } = await backend.figures();
  expect(written - earlier).toBeLessThan(STALLED * BUFFERED);
  expect(residentBytes() - before).toBeLessThan(20 * MB);
  await Promise.all(streams.map(stream => stream.return?.()));
  await until(async () => (await backend.figures()).sockets === 0);
});
