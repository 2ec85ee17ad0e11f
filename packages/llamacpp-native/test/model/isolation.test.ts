import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Adapter,
  collect,
  type InferenceResult,
  type InferenceStreamEvent,
  withRetry,
} from '@x/airframe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LlamaCppExtra, llamaCppAdapter } from '../../src/index.ts';
import { WINDOW } from '../../src/isolation/protocol.ts';
import { DEMO_MODEL, demoEndpoint } from '../demo-model.ts';
import { engineProcesses } from '../engine-processes.ts';

const endpoint = demoEndpoint({ contextTokens: 512, isolation: 'process' });
/** The same model with another context: loaded apart, so that it waits for nobody. */
const other = demoEndpoint({ contextTokens: 256, isolation: 'process' });
/** An answer that does not end by itself. */
const endless = { prompt: 'one two', temperature: 0, extra: { grammar: 'root ::= [a-z ] root' } };
const short = { prompt: 'one two', temperature: 0, maxTokens: 8 };

const started = engineProcesses();
const fractions: number[] = [];
const lines: string[] = [];
let adapter: Adapter<LlamaCppExtra>;
beforeAll(() => {
  adapter = llamaCppAdapter({
    onLoadProgress: fraction => fractions.push(fraction),
    onLog: (_level, line) => lines.push(line),
  });
});
afterAll(() => adapter.close());

type Request = Parameters<typeof adapter.streamInfer>[1];
const ask = (request: Request, at = endpoint): Promise<InferenceResult> =>
  collect(adapter.streamInfer(at, request), { throwOnError: false });

/** Reads on until so many tokens have come. */
async function readTokens(stream: AsyncIterator<InferenceStreamEvent>, count: number): Promise<void> {
  for (let tokens = 0; tokens < count; ) {
    const { value, done } = await stream.next();
    if (done) throw new Error(`the stream ended after ${tokens} tokens`);
    if (value.type === 'token') tokens++;
  }
}

describe('an engine in a process of its own', () => {
  it('is not started by a look at the endpoint', async () => {
    expect((await adapter.health(endpoint)).state).toBe('unknown');
    expect(started).toHaveLength(0);
  });

  it('answers as in this process, to the figure', async () => {
    const messages = [{ role: 'user' as const, content: 'What is airframe?' }];
    const request = { messages, temperature: 0, maxTokens: 24 };
    const within = llamaCppAdapter();
    for (const stream of [true, false]) {
      const here = await collect(
        within.streamInfer(demoEndpoint({ contextTokens: 512 }), { ...request, stream }),
      );
      const there = await ask({ ...request, stream });
      const { text, message, usage, finishReason, model } = here;
      expect(there).toMatchObject({ text, message, usage, finishReason, model });
      expect(there.timings.promptMs).toBeGreaterThan(0);
    }
    await within.close();
    expect(started).toHaveLength(1);
    expect((await adapter.health(endpoint)).state).toBe('healthy');
  });

  it('tells of its load and its log', () => {
    expect(fractions.at(-1)).toBe(1);
    expect(lines.join('')).toContain('llama');
  });

  it('is given nothing but by its channel', async () => {
    const secret = 'sk-4f9d1c7be02a68';
    await ask(short, { ...endpoint, apiKey: secret });
    expect(started.at(-1)?.spawnargs.join()).not.toContain(secret);
    expect(started.at(-1)?.spawnargs.slice(-1)).toEqual([expect.stringContaining('child-main')]);
  });

  it('passes errors on with their category, code and numbers, and without its stack', async () => {
    const { error } = await ask({ prompt: 'one two three four five '.repeat(300) });
    expect(error).toMatchObject({ category: 'context_length', contextTokens: 512, retryable: false });
    expect(error?.promptTokens).toBeGreaterThanOrEqual(512);
    expect(error?.remedy).toMatch(/contextTokens/);
    expect(error?.stack).not.toContain('node-llama-model');
    expect((await ask(short, demoEndpoint({ isolation: 'process' }, '/nowhere.gguf'))).error).toMatchObject({
      category: 'not_found',
    });
    const refused = await ask({ ...short, extra: { grammar: 'root ::= (' } });
    expect(refused.error).toMatchObject({
      category: 'invalid_request',
      message: expect.stringContaining('grammar'),
    });
  });

  it('refuses what cannot be sent to it', async () => {
    const { error } = await ask({ ...short, extra: { json_schema: { of: () => 1 } } });
    expect(error).toMatchObject({ category: 'invalid_request', message: expect.stringContaining('clone') });
    const refused = await ask(short, demoEndpoint({ isolation: 'thread' }));
    expect(refused.error).toMatchObject({ category: 'invalid_request', code: 'configuration' });
  });

  it('outlives the signals of a terminal, which are this process’s to answer', async () => {
    const [engine] = started;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) engine?.kill(signal);
    expect((await ask(short)).finishReason).not.toBe('error');
    expect(started).toHaveLength(1);
  });
});

describe('a slow reader', () => {
  it('makes the engine wait, and nobody else', async () => {
    const leaving = new AbortController();
    const slow = adapter.streamInfer(endpoint, endless, { signal: leaving.signal });
    await readTokens(slow, 1);
    const long = { ...endless, maxTokens: 6 * WINDOW };
    expect((await ask(long, other)).usage.completionTokens).toBe(6 * WINDOW);
    leaving.abort();
    const { usage, finishReason } = await collect(slow, { throwOnError: false });
    expect(finishReason).toBe('aborted');
    expect(usage.source).toBe('reported');
    expect(usage.completionTokens).toBeLessThanOrEqual(2 * WINDOW);
  });

  it('is not timed out, but an engine that hangs is', async () => {
    const stream = adapter.streamInfer(endpoint, endless, { timeouts: { idleMs: 2_000 } });
    await readTokens(stream, 1);
    await sleep(2_500);
    await readTokens(stream, 2 * WINDOW);
    started.at(-1)?.kill('SIGSTOP');
    const { error, finishReason } = await collect(stream, { throwOnError: false });
    started.at(-1)?.kill('SIGCONT');
    expect(error).toMatchObject({ category: 'timeout', code: 'idle_timeout' });
    expect(finishReason).toBe('stalled');
    expect((await ask(short)).finishReason).not.toBe('error');
  });
});

describe('a call that is given up', () => {
  it.each(['aborted', 'left'])('lets the next one in when it is %s', async how => {
    const leaving = new AbortController();
    const stream = adapter.streamInfer(endpoint, endless, { signal: leaving.signal });
    await readTokens(stream, 3);
    if (how === 'left') await stream.return?.();
    else leaving.abort();
    // The model has one sequence: this would wait for the whole context of the other.
    expect((await ask(short)).usage.completionTokens).toBeGreaterThan(0);
  });

  it.each([true, false])('reports what it has used, stream: %s', async stream => {
    const whole = await ask(short);
    let aborted: InferenceResult;
    let ms = 10;
    // Nothing comes out of an answer in one piece that could tell when it has begun.
    do {
      const signal = AbortSignal.timeout(ms);
      ms *= 2;
      const call = adapter.streamInfer(endpoint, { ...endless, stream }, { signal });
      aborted = await collect(call, { throwOnError: false });
    } while (aborted.usage.completionTokens === 0);
    expect(aborted.finishReason).toBe('aborted');
    const { promptTokens } = whole.usage;
    expect(aborted.usage).toMatchObject({ source: 'reported', promptTokens });
  });
});

describe('a crash of the engine', () => {
  it('ends each call with error and done, and the next one finds a new process', async () => {
    const before = (await ask(short)).text;
    const crashed = started.at(-1);
    const reading = [adapter.streamInfer(endpoint, endless), adapter.streamInfer(other, endless)];
    await Promise.all(reading.map(stream => readTokens(stream, 3)));
    const queued = adapter.streamInfer(endpoint, short);
    const ends = [...reading, queued].map(async stream => {
      const types: string[] = [];
      for await (const event of stream) {
        types.push(event.type);
        if (event.type === 'error') {
          expect(event.error).toMatchObject({ category: 'backend', code: 'engine_crashed', retryable: true });
          expect(event.error.message).toContain('SIGSEGV');
          expect(event.error.message).toContain(DEMO_MODEL);
        }
        if (event.type === 'done') expect(event.finishReason).toBe('error');
      }
      return types.slice(-2);
    });
    await new Promise(setImmediate);
    crashed?.kill('SIGSEGV');
    expect(await Promise.all(ends)).toEqual(Array(3).fill(['error', 'done']));
    expect(crashed?.signalCode).toBe('SIGSEGV');
    expect((await ask(short)).text).toBe(before);
    expect(started.at(-1)?.pid).not.toBe(crashed?.pid);
  });

  it('while nothing is under way is noticed by nobody', async () => {
    const idle = started.at(-1);
    idle?.kill('SIGKILL');
    if (idle) await once(idle, 'exit');
    expect((await adapter.health(endpoint)).state).toBe('unknown');
    expect((await ask(short)).usage.completionTokens).toBe(8);
  });

  it('is retried by who retries, where nothing had come out', async () => {
    const retrying = withRetry(adapter, { maxRetries: 1, baseDelayMs: 1 });
    const holding = adapter.streamInfer(endpoint, endless);
    await readTokens(holding, 1);
    const waiting = collect(retrying.streamInfer(endpoint, short));
    await new Promise(setImmediate);
    started.at(-1)?.kill('SIGSEGV');
    const { attempts, usage } = await waiting;
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['backend', 'ok']);
    expect(usage.completionTokens).toBe(8);
    expect((await collect(holding, { throwOnError: false })).error?.code).toBe('engine_crashed');
  });
});

describe('another adapter', () => {
  it('says so when no process can be started, and goes on when one can', async () => {
    const { execPath } = process;
    const apart = llamaCppAdapter();
    const call = () => collect(apart.streamInfer(endpoint, short), { throwOnError: false });
    try {
      process.execPath = '/nowhere/node';
      const { error } = await call();
      expect(error).toMatchObject({ category: 'backend', code: 'engine_crashed' });
      expect(error?.message).toMatch(/could not be started \(.*ENOENT/);
    } finally {
      process.execPath = execPath;
    }
    expect((await call()).usage.completionTokens).toBe(8);
    await apart.close();
  });

  it('ends its calls on close, and waits until its process is gone', async () => {
    const closing = llamaCppAdapter();
    const stream = closing.streamInfer(endpoint, endless);
    await readTokens(stream, 2);
    const rest = collect(stream, { throwOnError: false });
    await closing.close();
    expect((await rest).finishReason).toBe('aborted');
    expect(started.at(-1)).toMatchObject({ exitCode: 0, signalCode: null });
    const late = await collect(closing.streamInfer(endpoint, short), { throwOnError: false });
    expect(late.error?.message).toMatch(/the adapter is closed/);
  });
});
