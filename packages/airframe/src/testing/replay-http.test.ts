import { describe, expect, it } from 'vitest';
import { AirframeError } from '../errors.ts';
import type { HttpFn } from '../transport/http.ts';
import type { RecordedExchange, Recording } from './recording.ts';
import { type ReplayOptions, replayHttp } from './replay-http.ts';

/** A recording made by hand. */
const exchange = (changes: Partial<RecordedExchange> = {}): RecordedExchange => ({
  request: { method: 'POST', url: 'http://x/v1/a', headers: {}, json: { say: 'hi' } },
  connectedMs: 0,
  response: { atMs: 0, status: 200, headers: { 'content-type': 'text/plain' } },
  chunks: [
    { atMs: 0, text: 'one' },
    { atMs: 0, text: 'two' },
  ],
  end: { atMs: 0, how: 'end' },
  ...changes,
});
const recordingOf = (...exchanges: RecordedExchange[]): Recording => ({ version: 1, exchanges });
const request = (body: unknown = { say: 'hi' }, changes: object = {}) => ({
  method: 'POST' as const,
  url: 'http://elsewhere:99/v1/a',
  headers: {},
  body: JSON.stringify(body),
  signal: new AbortController().signal,
  ...changes,
});
const bodyOf = async (http: HttpFn, asked = request()) =>
  (await http(asked)).body[Symbol.asyncIterator]() as AsyncIterableIterator<Uint8Array>;

describe('which exchange answers', () => {
  const first = async (http: HttpFn, asked = request()) =>
    String((await (await bodyOf(http, asked)).next()).value);
  const saying = (text: string, json: unknown) =>
    exchange({ request: { ...exchange().request, json }, chunks: [{ atMs: 0, text }] });

  it('is the first unused one with the same method, path and body, whatever the order of keys', async () => {
    const http = replayHttp(
      recordingOf(saying('a', { x: 1, y: [2] }), saying('b', { x: 2 }), saying('c', { x: 1, y: [2] })),
    );
    expect(await first(http, request({ x: 2 }))).toBe('b');
    expect(() => http.assertAllUsed()).toThrow(
      'nobody asked for exchange 1 of 3 (POST /v1/a), exchange 3 of 3 (POST /v1/a)',
    );
    expect(await first(http, request({ y: [2], x: 1 }))).toBe('a');
    expect(await first(http, request({ y: [2], x: 1 }))).toBe('c');
    http.assertAllUsed();
  });

  it('is a clear error when there is none, with the nearest one and what tells it apart', async () => {
    const long = 'the same long beginning of a prompt that nobody wants to read twice, and then ';
    const http = replayHttp(
      recordingOf(saying('a', { x: 1, say: `${long}red` }), saying('b', { x: 1, y: 2, say: 'no' })),
    );
    const error = await http(request({ x: 1, say: `${long}blue` })).catch(reason => reason);
    expect(error).toBeInstanceOf(AirframeError);
    expect(error).toMatchObject({ category: 'invalid_request', code: 'not_recorded', retryable: false });
    expect(error.message).toMatch(
      /is left for POST \/v1\/a: the nearest is exchange 1 of 2 \(POST \/v1\/a\): body\.say: recorded "?….*red", asked "?….*blue"; record it again, or match looser/,
    );
  });

  it('is no one twice, and the error says so', async () => {
    const http = replayHttp(recordingOf(exchange()));
    await http(request());
    await expect(http(request())).rejects.toThrow(
      'exchange 1 of 1 (POST /v1/a) is the same and was served before',
    );
    await expect(http(request({ say: 'no' }))).rejects.toThrow('all 1 exchanges were served');
  });

  it('names another method or path as the difference, and shows no key', async () => {
    const http = replayHttp(recordingOf(exchange()));
    const asked = request(undefined, {
      url: 'http://x/v1/b?key=geheimnis',
      headers: { authorization: 'Bearer passwort' },
      body: '{"say":"passwort"}',
    });
    const { message } = await http(asked).catch(reason => reason);
    expect(message).toMatch(
      /left for POST \/v1\/b\?key=\*{3}: .*recorded POST \/v1\/a; body\.say: recorded "hi"/,
    );
    expect(message).not.toMatch(/geheimnis|passwort/);
  });

  it('may be found by path alone, or by a function', async () => {
    expect(await first(replayHttp(recordingOf(exchange()), { match: 'path' }), request('other'))).toBe('one');
    const match: ReplayOptions['match'] = (asked, { json }) =>
      asked.url.endsWith('/z') && (json as { say: string }).say === 'hi';
    const http = replayHttp(recordingOf(exchange()), { match });
    await expect(http(request())).rejects.toThrow('the match function refused it');
    expect(await first(http, request('other', { url: 'http://x/z' }))).toBe('one');
  });

  it('matches anything where the recording left a secret out', async () => {
    const recordedRequest = {
      ...exchange().request,
      url: 'http://x/v1/a?key=***',
      json: { say: 'my *** is safe' },
    };
    const http = replayHttp(recordingOf(exchange({ request: recordedRequest })));
    const url = 'http://x/v1/a?key=k';
    await expect(http(request({ say: 'my key is lost' }, { url }))).rejects.toThrow('body.say');
    expect(await first(http, request({ say: 'my secret key is safe' }, { url }))).toBe('one');
  });

  it('is not missed because of a key that looks like a word of the body', async () => {
    const http = replayHttp(recordingOf(saying('one', { say: 'ask ollama' })));
    const headers = { authorization: 'Bearer ollama' };
    expect(await first(http, request({ say: 'ask ollama' }, { headers }))).toBe('one');
  });

  it('comes from a recording and nothing else', () => {
    expect(() => replayHttp({ version: 1 } as Recording)).toThrow(/invalid recording: exchanges/);
    expect(() => replayHttp(recordingOf(), { timeScale: -1 })).toThrow(
      'timeScale has to be 0 or more, and is -1',
    );
  });
});

describe('the replayed body', () => {
  it('says when it is connected, and waits as long as the recording did', async () => {
    const late = exchange({ connectedMs: 10, response: { atMs: 20, status: 200, headers: {} } });
    const http = replayHttp(recordingOf(late, late), { timeScale: 2 });
    let connectedAt = 0;
    const start = performance.now();
    const onConnected = () => {
      connectedAt = performance.now() - start;
    };
    await http(request(undefined, { onConnected }));
    expect(connectedAt).toBeGreaterThan(18);
    expect(performance.now() - start).toBeGreaterThan(38);
  });

  it('ends with the abort, at whatever stage', async () => {
    const never = 2 ** 31 - 1;
    const stages = [
      exchange({ connectedMs: never }),
      exchange({ response: { atMs: never, status: 200, headers: {} } }),
      exchange({ chunks: [{ atMs: never, text: 'x' }] }),
      exchange({ chunks: [], end: { atMs: never, how: 'end' } }),
    ];
    for (const stage of stages) {
      const controller = new AbortController();
      const http = replayHttp(recordingOf(stage), { timeScale: 1 });
      const reading = bodyOf(http, request(undefined, { signal: controller.signal })).then(body =>
        body.next(),
      );
      setTimeout(() => controller.abort(new Error('enough')), 5);
      await expect(reading).rejects.toThrow('enough');
    }
    const signal = AbortSignal.abort(new Error('before'));
    await expect(replayHttp(recordingOf(exchange()))(request(undefined, { signal }))).rejects.toThrow(
      'before',
    );
  });

  it('is over for a reader that leaves, even one that waits', async () => {
    const slow = exchange({ chunks: [{ atMs: 2 ** 30, text: 'x' }] });
    const body = await bodyOf(replayHttp(recordingOf(slow), { timeScale: 1 }));
    const waiting = body.next();
    expect(await body.return?.()).toEqual({ done: true, value: undefined });
    await expect(waiting).rejects.toMatchObject({ category: 'aborted' });
    await expect(body.next()).rejects.toMatchObject({ category: 'aborted' });
  });

  it('says so when it is read on after the reader of the recording left', async () => {
    const body = await bodyOf(replayHttp(recordingOf(exchange({ end: { atMs: 0, how: 'left' } }))));
    await body.next();
    await body.next();
    const problem = 'the recording of POST /v1/a ends after 2 chunks';
    for (let i = 0; i < 2; i++) {
      await expect(body.next()).rejects.toMatchObject({
        code: 'recording_ends',
        message: expect.stringContaining(problem),
      });
    }
  });

  it('throws the recorded fault before the headers, as often as it is asked in mid-body', async () => {
    const error = {
      category: 'connection' as const,
      code: 'ECONNRESET',
      problem: 'cut',
      remedy: 'r',
      retryable: true,
    };
    const end = { atMs: 0, how: 'fault' as const, error };
    const { response: _, ...early } = exchange({ chunks: [], end });
    const thrown = { category: 'connection', code: 'ECONNRESET', problem: 'cut', remedy: 'r' };
    await expect(replayHttp(recordingOf(early))(request())).rejects.toMatchObject(thrown);
    const body = await bodyOf(replayHttp(recordingOf(exchange({ end }))));
    await body.next();
    await body.next();
    await expect(body.next()).rejects.toMatchObject(thrown);
    await expect(body.next()).rejects.toMatchObject(thrown);
  });

  it('is cut at random, and the same way for the same seed', async () => {
    const long = exchange({
      chunks: [
        { atMs: 0, text: 'x'.repeat(500) },
        { atMs: 0, text: 'y'.repeat(500) },
      ],
    });
    const lengths = async (seed: number) => {
      const all = [];
      for await (const piece of await bodyOf(replayHttp(recordingOf(long), { split: { seed } })))
        all.push(piece.length);
      return all;
    };
    const cut = await lengths(7);
    expect(cut.reduce((a, b) => a + b)).toBe(1000);
    expect(new Set(cut).size).toBeGreaterThan(5);
    expect(await lengths(7)).toEqual(cut);
    expect(await lengths(8)).not.toEqual(cut);
  });
});
