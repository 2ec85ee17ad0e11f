import { getEventListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { json, type Script, type ScriptedServer, scriptedServer } from '../../../../test/scripted-server.ts';
import type { Adapter, InferOptions } from '../adapter.ts';
import { openAIChatAdapter } from '../adapters/openai-chat/index.ts';
import type { DoneEvent } from '../events.ts';
import { withRetry } from '../wrap/retry.ts';

/** Every clock runs, and none of them expires by itself. */
const CLOCKS = { connectMs: 60_000, headersMs: 60_000, idleMs: 60_000, totalMs: 60_000 };

let server: ScriptedServer;
afterEach(() => server.close());

function chunks(response: ServerResponse, ...rest: string[]) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const token = { choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }] };
  for (const line of [JSON.stringify(token), ...rest]) response.write(`data: ${line}\n\n`);
}
const finish = JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });

const silent: Script = () => {};
const endless: Script = response => chunks(response);
const whole: Script = response => {
  chunks(response, finish, '[DONE]');
  response.end();
};
const leftOpen: Script = response => chunks(response, finish, '[DONE]');
const cut: Script = response => {
  chunks(response);
  response.end();
};
const broken: Script = response => {
  chunks(response);
  setTimeout(() => response.destroy(), 5);
};
const noJson: Script = response => {
  response.end('{');
};
const nonsense: Script = response => chunks(response, '{');

interface Ending {
  script: Script;
  timeouts?: InferOptions['timeouts'];
  /** What the consumer does at its first token, or right after its first `next()`. */
  onToken?: 'break' | 'abort' | 'close';
  atOnce?: 'return' | 'abort' | 'close';
  finishReason?: DoneEvent['finishReason'];
}

const ENDINGS: Record<string, Ending> = {
  'its end': { script: whole, finishReason: 'stop' },
  'its end, on a connection left open': { script: leftOpen, finishReason: 'stop' },
  'a break': { script: endless, onToken: 'break' },
  'a break when more has come': { script: leftOpen, onToken: 'break' },
  'return() before the answer': { script: silent, atOnce: 'return' },
  'an abort': { script: endless, onToken: 'abort', finishReason: 'aborted' },
  'an abort before the answer': { script: silent, atOnce: 'abort', finishReason: 'aborted' },
  'close() of the adapter': { script: endless, onToken: 'close', finishReason: 'aborted' },
  'close() of the adapter before the answer': { script: silent, atOnce: 'close', finishReason: 'aborted' },
  'a cut': { script: cut, finishReason: 'truncated' },
  'a broken connection': { script: broken, finishReason: 'error' },
  'bytes that make no sense': { script: nonsense, finishReason: 'error' },
  'an error status': { script: json(400, { error: { message: 'no' } }), finishReason: 'error' },
  'a status worth another try': { script: json(503, {}), finishReason: 'error' },
  'an answer that is no JSON': { script: noJson, finishReason: 'error' },
  silence: { script: endless, timeouts: { idleMs: 20 }, finishReason: 'stalled' },
  'no answer in time': { script: silent, timeouts: { headersMs: 20 }, finishReason: 'error' },
  'no end in time': { script: endless, timeouts: { totalMs: 30 }, finishReason: 'error' },
};

const WRAPPERS: Record<string, (adapter: Adapter) => Adapter> = {
  'an adapter': adapter => adapter,
  withRetry: adapter => withRetry(adapter, { maxRetries: 1, baseDelayMs: 1 }),
};

describe.each(Object.keys(WRAPPERS))('%s', wrapper => {
  it.each(Object.keys(ENDINGS))('leaves no timer, listener or open request behind after %s', async name => {
    const { script, timeouts, onToken, atOnce, finishReason } = ENDINGS[name] as Ending;
    let open = 0;
    server = await scriptedServer((response, seen) => {
      open++;
      response.on('close', () => open--);
      script(response, seen);
    });
    const adapter = WRAPPERS[wrapper]?.(openAIChatAdapter() as Adapter) as Adapter;
    const controller = new AbortController();
    const endpoint = { name: 'chat', backendKind: 'openai_chat', baseUrl: server.url };
    const stream = adapter.streamInfer(
      endpoint,
      { prompt: 'hi' },
      { signal: controller.signal, timeouts: { ...CLOCKS, ...timeouts } },
    );
    const act = async (what: string | undefined) => {
      if (what === 'abort') controller.abort();
      if (what === 'close') await adapter.close();
      if (what === 'break' || what === 'return') await stream.return?.();
    };
    let done: DoneEvent | undefined;
    const first = stream.next();
    if (atOnce) await until(() => open === 1).then(() => act(atOnce));
    for (let step = await first; !step.done; step = await stream.next()) {
      if (step.value.type === 'token') await act(onToken);
      if (step.value.type === 'done') done = step.value;
    }
    expect(done?.finishReason).toBe(finishReason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    // Whatever stays of ours stays for a minute, longer than this test may take.
    await until(() => open === 0 && timers() === 0);
    await adapter.close();
  });
});

it('lets many calls share one signal without a warning', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => warnings.push(name);
  process.on('warning', onWarning);
  server = await scriptedServer(endless);
  const endpoint = { name: 'chat', backendKind: 'openai_chat', baseUrl: server.url };
  const controller = new AbortController();
  const adapter = openAIChatAdapter();
  const { signal } = controller;
  const calls = Array.from({ length: 30 }, () => adapter.streamInfer(endpoint, { prompt: 'hi' }, { signal }));
  await Promise.all(calls.map(call => call.next()));
  expect(getEventListeners(signal, 'abort')).toHaveLength(30);
  controller.abort();
  const errors = await Promise.all(calls.map(call => call.next()));
  expect(errors.every(({ value }) => value?.type === 'error')).toBe(true);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

function timers(): number {
  return process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
}
