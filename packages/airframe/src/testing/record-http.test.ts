import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  json,
  type Script,
  type ScriptedServer,
  scriptedServer,
  sse,
} from '../../../../test/scripted-server.ts';
import { createHttp, type HttpFn, type HttpRequest } from '../transport/http.ts';
import { type HttpRecorder, recordHttp } from './record-http.ts';
import type { RecordedChunk } from './recording.ts';

let server: ScriptedServer;
let http: HttpRecorder;
beforeEach(() => {
  http = recordHttp(createHttp());
});
afterEach(async () => {
  await http.close?.();
  await server.close();
});

const KEY = 'swordfish/"42"';

/** Chunks of the newest exchange that have been read. */
const readSoFar = () => http.recording().exchanges.at(-1)?.chunks.length ?? 0;

/** Writes each part when the one before it has been read, so that each is a chunk. */
const written =
  (parts: (string | Buffer)[], ending: 'end' | 'reset' | 'open' = 'end', headers = {}): Script =>
  async response => {
    response.writeHead(200, { 'content-type': 'text/plain', ...headers });
    for (const [index, part] of parts.entries()) {
      response.write(part);
      while (!response.destroyed && readSoFar() <= index) await sleep(1);
    }
    if (ending === 'end') response.end();
    if (ending === 'reset') response.socket?.resetAndDestroy();
  };

function request(changes: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'POST',
    url: `${server.url}/v1/x?key=${encodeURIComponent(KEY)}&v=1`,
    headers: { authorization: `Bearer ${KEY}`, 'x-plain': `not ${KEY} but plain` },
    body: JSON.stringify({ say: 'hi', echo: KEY }),
    signal: new AbortController().signal,
    ...changes,
  };
}

const bytesOf = (chunks: readonly RecordedChunk[]) =>
  Buffer.concat(
    chunks.map(({ text, base64 }) =>
      text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text),
    ),
  );

async function read(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a recording', () => {
  it('holds the request, the answer in its chunks, and how it ended', async () => {
    server = await scriptedServer(written(['one ', 'two']));
    const response = await http(request());
    expect(String(await read(response.body))).toBe('one two');
    expect(http.recording()).toMatchObject({
      version: 1,
      exchanges: [
        {
          request: { method: 'POST', url: `${server.url}/v1/x?key=***&v=1`, json: { say: 'hi' } },
          connectedMs: expect.any(Number),
          response: { status: 200, headers: { 'content-type': 'text/plain' } },
          chunks: [{ text: 'one ' }, { text: 'two' }],
          end: { how: 'end' },
        },
      ],
    });
    const [exchange] = http.recording().exchanges;
    const times = [exchange?.response, ...(exchange?.chunks ?? []), exchange?.end].map(
      part => part?.atMs ?? -1,
    );
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('says of a reset in mid-body what came before it and how it failed, as the reader sees it', async () => {
    server = await scriptedServer(written(['one '], 'reset'));
    const { body } = await http(request());
    const failure = await read(body).catch(error => error);
    const { category, code, problem } = failure;
    expect(category).toBe('connection');
    expect(http.recording().exchanges).toMatchObject([
      {
        chunks: [{ text: 'one ' }],
        end: { how: 'fault', error: { category, code, problem, retryable: true } },
      },
    ]);
  });

  it('says of a refused connection that it failed before the headers', async () => {
    server = await scriptedServer();
    await server.close();
    await expect(http(request())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    server = await scriptedServer();
    const [exchange] = http.recording().exchanges;
    expect(exchange).toMatchObject({ chunks: [], end: { how: 'fault', error: { code: 'ECONNREFUSED' } } });
    expect(exchange).not.toHaveProperty('response');
    expect(exchange).not.toHaveProperty('connectedMs');
  });

  it('holds error answers like any other', async () => {
    server = await scriptedServer(json(429, { error: 'slow down' }, { 'retry-after': '3' }));
    await read((await http(request())).body);
    expect(http.recording().exchanges[0]).toMatchObject({
      response: { status: 429, headers: { 'retry-after': '3' } },
      chunks: [{ text: '{"error":"slow down"}' }],
      end: { how: 'end' },
    });
  });

  it.each(['before the headers', 'in mid-body'])(
    'notes an abort %s, and the socket is closed',
    async when => {
      server = await scriptedServer(when === 'in mid-body' ? written(['one '], 'open') : () => {});
      const controller = new AbortController();
      const exchange = http(request({ signal: controller.signal }));
      exchange.catch(() => {});
      const reading = when === 'in mid-body' ? exchange.then(({ body }) => read(body)) : exchange;
      await expect.poll(() => server.seen.length).toBe(1);
      if (when === 'in mid-body')
        await expect.poll(() => http.recording().exchanges[0]?.chunks.length).toBe(1);
      controller.abort(new Error('enough'));
      await expect(reading).rejects.toThrow('enough');
      await expect.poll(() => server.seen[0]?.closedEarly).toBe(true);
      expect(http.recording().exchanges[0]?.end).toMatchObject({
        how: 'aborted',
        error: { problem: 'enough' },
      });
    },
  );

  it('notes that the reader left, and the socket is closed', async () => {
    server = await scriptedServer(written(['one '], 'open'));
    for await (const _chunk of (await http(request())).body) break;
    expect(http.recording().exchanges[0]).toMatchObject({ chunks: [{ text: 'one ' }], end: { how: 'left' } });
    await expect.poll(() => server.seen[0]?.closedEarly).toBe(true);
  });

  it('has no end for an exchange that is still under way', async () => {
    server = await scriptedServer(sse(['one'], { end: false }));
    const body = (await http(request())).body[Symbol.asyncIterator]();
    await body.next();
    expect(http.recording().exchanges[0]).not.toHaveProperty('end');
    await body.return?.();
  });

  it('keeps compressed bodies and cut characters byte by byte', async () => {
    const zipped = gzipSync('hello '.repeat(50));
    const [start, rest] = [
      Buffer.from('gr\u00fc\u00df').subarray(0, 3),
      Buffer.from('gr\u00fc\u00df').subarray(3),
    ];
    server = await scriptedServer(
      written([zipped.subarray(0, 20), zipped.subarray(20)], 'end', { 'content-encoding': 'gzip' }),
      written([start, rest]),
    );
    expect(await read((await http(request())).body)).toEqual(zipped);
    expect(String(await read((await http(request())).body))).toBe('grüß');
    const [binary, text] = http.recording().exchanges;
    expect(String(gunzipSync(bytesOf(binary?.chunks ?? [])))).toContain('hello hello');
    expect(text?.chunks.map(chunk => chunk.base64 && Buffer.from(chunk.base64, 'base64'))).toEqual([
      start,
      rest,
    ]);
  });

  it('is pulled: what the reader does not read is not fetched', async () => {
    let reads = 0;
    server = await scriptedServer();
    http = recordHttp(async () => ({
      status: 200,
      headers: {},
      body: (async function* () {
        for (; ; reads++) yield Buffer.from('x');
      })(),
    }));
    const body = (await http(request())).body[Symbol.asyncIterator]();
    await body.next();
    await body.next();
    await sleep(20);
    expect(reads).toBe(1);
  });

  it('closes what it records from, if that can be closed', async () => {
    server = await scriptedServer();
    let closed = 0;
    const closing: HttpFn = Object.assign(async () => expect.unreachable(), {
      close: async () => void closed++,
    });
    await recordHttp(closing).close?.();
    expect(closed).toBe(1);
    expect(recordHttp(async () => expect.unreachable()).close).toBeUndefined();
  });
});

describe('no secret stands in a recording', () => {
  it('wherever it was sent and however it is echoed, and no boundary moves', async () => {
    const echo = JSON.stringify({ error: `bad key ${KEY}` });
    const cut = echo.indexOf('fish');
    const parts = [echo.slice(0, cut), echo.slice(cut), ` ${KEY} `, encodeURIComponent(KEY)];
    server = await scriptedServer(
      written(parts, 'end', { 'x-echo': `got ${KEY}`, 'set-cookie': 'sid=chocolate; path=/v1' }),
    );
    expect(String(await read((await http(request())).body))).toBe(parts.join(''));
    const recording = http.recording();
    expect(JSON.stringify(recording)).not.toMatch(/swordfish|sword|fish|%2242|chocolate/);
    expect(recording.exchanges[0]).toMatchObject({
      request: {
        headers: { authorization: '***', 'x-plain': 'not *** but plain' },
        json: { say: 'hi', echo: '***' },
      },
      response: { headers: { 'x-echo': 'got ***', 'set-cookie': '***' } },
    });
    const chunks = recording.exchanges[0]?.chunks ?? [];
    expect(chunks.map(chunk => bytesOf([chunk]).length)).toEqual(parts.map(part => part.length));
    expect(JSON.parse((chunks[0]?.text ?? '') + chunks[1]?.text)).toEqual({
      error: `bad key ${'*'.repeat(JSON.stringify(KEY).length - 2)}`,
    });
  });

  it('nor one that is given, or looks like a key, or belongs to another exchange', async () => {
    server = await scriptedServer(
      written(['my horse, a sk-proj-abcdefgh', 'ijklmnop1234 and swordfish/"42"']),
    );
    http = recordHttp(createHttp(), { secrets: ['my horse', ''] });
    await read((await http(request({ headers: {}, url: `${server.url}/a` }))).body);
    await (await http(request())).body[Symbol.asyncIterator]().return?.();
    expect(http.recording().exchanges[0]?.chunks.map(({ text }) => text)).toEqual([
      `${'*'.repeat(8)}, a ${'*'.repeat(16)}`,
      `${'*'.repeat(12)} and ${'*'.repeat(14)}`,
    ]);
  });

  it('nor the half of one that a cut connection left', async () => {
    server = await scriptedServer(written(['key swordfish/"4'], 'reset'));
    await read((await http(request())).body).catch(() => {});
    expect(http.recording().exchanges[0]?.chunks).toMatchObject([{ text: `key ${'*'.repeat(12)}` }]);
  });

  it('but what only sounds secret stays: rate limits, CORS, short words', async () => {
    const headers = {
      'x-ratelimit-remaining-tokens': '149984',
      'access-control-allow-credentials': 'true',
      'x-auth-mode': 'none',
    };
    server = await scriptedServer(written(['true, none, 149984'], 'end', headers));
    await read((await http(request())).body);
    expect(http.recording().exchanges[0]).toMatchObject({
      response: { headers: { ...headers, 'x-auth-mode': '***' } },
      chunks: [{ text: 'true, none, 149984' }],
    });
  });
});
