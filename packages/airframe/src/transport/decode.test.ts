import type { ServerResponse } from 'node:http';
import {
  brotliCompressSync,
  constants,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
  type InputType,
} from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type Script, type ScriptedServer, scriptedServer } from '../../../../test/scripted-server.ts';
import { openAIChatAdapter } from '../adapters/openai-chat/index.ts';
import { collect } from '../collect.ts';
import { decoded } from './decode.ts';

const adapter = openAIChatAdapter();
const messages = [{ role: 'user' as const, content: 'hi' }];
const chunk = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
const stream = `${chunk('Hel')}${chunk('lo')}${chunk('', 'stop')}data: [DONE]\n\n`;
const answer = JSON.stringify({ choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }] });

const CODINGS: [string, (input: InputType) => Buffer][] = [
  ['gzip', gzipSync],
  ['X-GZip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['identity', input => Buffer.from(input as string)],
];

let server: ScriptedServer | undefined;
afterEach(() => server?.close());

function infer(script: Script, options: { signal?: AbortSignal } = {}) {
  const serving = scriptedServer(script).then(started => {
    server = started;
    return started.url;
  });
  return {
    async *[Symbol.asyncIterator]() {
      const endpoint = { name: 'proxied', backendKind: 'openai_chat', baseUrl: await serving };
      yield* adapter.streamInfer(endpoint, { messages }, options);
    },
  };
}

const result = (script: Script) => collect(infer(script), { throwOnError: false });

function head(response: ServerResponse, coding: string, type = 'text/event-stream', status = 200) {
  response.writeHead(status, { 'content-type': type, 'content-encoding': coding });
}

/** The whole of it in one write. */
function send(body: Uint8Array, coding: string, type?: string, status?: number): Script {
  return response => {
    head(response, coding, type, status);
    response.end(body);
  };
}

const json = 'application/json';

describe.each(CODINGS)('an answer in %s', (coding, encode) => {
  it('is read as a stream', async () => {
    expect(await result(send(encode(stream), coding))).toMatchObject({ text: 'Hello', finishReason: 'stop' });
  });

  it('is read as JSON', async () => {
    expect(await result(send(encode(answer), coding, json))).toMatchObject({ text: 'Hello' });
  });

  it('is read as an error', async () => {
    const body = encode(JSON.stringify({ error: { message: 'too long', code: 'context_length_exceeded' } }));
    expect(await result(send(body, coding, json, 400))).toMatchObject({
      error: { category: 'context_length', status: 400, message: expect.stringContaining('too long') },
    });
  });

  it('is the same when it comes byte by byte', async () => {
    async function* bytes() {
      for (const byte of encode(stream)) yield Uint8Array.of(byte);
    }
    expect(await textOf(decoded(bytes(), coding))).toBe(stream);
  });

  it('is as much as came, when it is cut', async () => {
    const whole = encode(stream);
    for (let length = 0; length < whole.length; length += 7) {
      const text = await textOf(decoded(pieces(whole.subarray(0, length)), coding));
      expect(stream.startsWith(text)).toBe(true);
    }
  });
});

describe('a compressed stream', () => {
  it('hands out what has been flushed, while the rest is still to come', async () => {
    let finish = () => {};
    const script: Script = response => {
      head(response, 'gzip');
      const gzip = createGzip();
      gzip.pipe(response);
      gzip.write(chunk('Hel'));
      gzip.flush(constants.Z_SYNC_FLUSH);
      finish = () => gzip.end(`${chunk('lo')}${chunk('', 'stop')}data: [DONE]\n\n`);
    };
    const seen = [];
    for await (const event of infer(script)) {
      if (event.type === 'token') {
        seen.push(event.text);
        finish();
      }
      if (event.type === 'done') expect(event.finishReason).toBe('stop');
    }
    expect(seen).toEqual(['Hel', 'lo']);
  });

  it('that is cut is truncated, and keeps what came', async () => {
    const gzip = gzipSync(chunk('Hel'), { finishFlush: constants.Z_SYNC_FLUSH });
    expect(await result(send(gzip, 'gzip'))).toMatchObject({
      text: 'Hel',
      finishReason: 'truncated',
      error: { category: 'connection', code: 'truncated' },
    });
  });

  it('whose connection breaks is a connection error, and keeps what came', async () => {
    const script: Script = async response => {
      head(response, 'gzip');
      response.write(gzipSync(chunk('Hel'), { finishFlush: constants.Z_SYNC_FLUSH }), () => {
        response.destroy();
      });
    };
    expect(await result(script)).toMatchObject({ text: 'Hel', error: { category: 'connection' } });
  });

  it('with broken bytes is a parse error, and keeps what came', async () => {
    const script: Script = async response => {
      head(response, 'gzip');
      response.write(gzipSync(chunk('Hel'), { finishFlush: constants.Z_SYNC_FLUSH }));
      await new Promise(resolve => setTimeout(resolve, 20));
      response.write(Buffer.alloc(1_000, 0xff));
    };
    expect(await result(script)).toMatchObject({
      text: 'Hel',
      finishReason: 'error',
      error: { category: 'parse', message: expect.stringMatching(/not in gzip.*proxy in front/) },
    });
    await until(() => server?.sockets.size === 0);
  });

  it.each(CODINGS.slice(0, -1))(
    'in %s that is whole stays so, whatever is behind it',
    async (coding, encode) => {
      const padded = Buffer.concat([encode(stream), Buffer.alloc(10)]);
      expect(await result(send(padded, coding))).toMatchObject({ text: 'Hello', finishReason: 'stop' });
      await server?.close();
      const script: Script = async response => {
        head(response, coding);
        response.write(encode(stream));
        await new Promise(resolve => setTimeout(resolve, 20));
        response.end('garbage');
      };
      expect(await result(script)).toMatchObject({ text: 'Hello', finishReason: 'stop' });
    },
  );

  it('may come in several members', async () => {
    const body = Buffer.concat([gzipSync(chunk('Hel')), gzipSync(stream.slice(chunk('Hel').length))]);
    expect(await result(send(body, 'gzip'))).toMatchObject({ text: 'Hello', finishReason: 'stop' });
  });

  it('closes the socket when its reader leaves or aborts', async () => {
    const script: Script = (response, seen) => {
      head(response, 'gzip');
      const gzip = createGzip();
      gzip.pipe(response);
      gzip.write(chunk('Hel'));
      gzip.flush(constants.Z_SYNC_FLUSH);
      response.on('close', () => expect(seen.closedEarly).toBe(true));
    };
    for await (const event of infer(script)) {
      expect(event).toMatchObject({ type: 'token', text: 'Hel' });
      break;
    }
    await until(() => server?.sockets.size === 0);
    await server?.close();
    const controller = new AbortController();
    for await (const event of infer(script, { signal: controller.signal })) {
      if (event.type === 'token') setTimeout(() => controller.abort(), 5);
      if (event.type === 'done') expect(event.finishReason).toBe('aborted');
    }
    await until(() => server?.sockets.size === 0);
  });

  it('leaves its connection to the next call when it was read to its end', async () => {
    server = await scriptedServer(send(gzipSync(stream), 'gzip'));
    const endpoint = { name: 'proxied', backendKind: 'openai_chat', baseUrl: server.url };
    await collect(adapter.streamInfer(endpoint, { messages }));
    const sockets = [...server.sockets];
    await collect(adapter.streamInfer(endpoint, { messages }));
    expect([...server.sockets]).toEqual(sockets);
  });
});

describe('an encoding that is not known', () => {
  it('is a parse error that names it', async () => {
    expect(await result(send(Buffer.from('x'), 'zstd'))).toMatchObject({
      error: { category: 'parse', message: expect.stringMatching(/zstd, which cannot be read; .*gzip/) },
    });
    await until(() => server?.sockets.size === 0);
  });

  it('leaves an error status what it is', async () => {
    expect(await result(send(Buffer.from('x'), 'zstd', json, 503))).toMatchObject({
      error: { category: 'overloaded', status: 503, message: expect.stringContaining('zstd') },
    });
  });
});

describe('a decompression bomb', () => {
  it('is refused as JSON over the bound', async () => {
    const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024, ' '), { level: 1 });
    expect(await result(send(bomb, 'gzip', json))).toMatchObject({
      error: { category: 'parse', message: expect.stringContaining('the answer is over 67108864 bytes') },
    });
  });

  it('is refused as an event over the bound', async () => {
    const bomb = gzipSync(`data: ${'x'.repeat(17 * 1024 * 1024)}`, { level: 1 });
    expect(await result(send(bomb, 'gzip'))).toMatchObject({
      error: { category: 'parse', message: expect.stringMatching(/event of over 16777216/) },
    });
  });

  it('is unpacked no further than it is read', async () => {
    let asked = 0;
    const bomb = gzipSync(Buffer.alloc(20_000_000), { level: 1 });
    async function* body() {
      for (let at = 0; at < bomb.length; at += 100) {
        asked += 100;
        yield bomb.subarray(at, at + 100);
      }
    }
    let size = 0;
    const reading = decoded(body(), 'gzip')[Symbol.asyncIterator]();
    for (let reads = 0; reads < 10; reads++) {
      const { value } = await reading.next();
      await new Promise(resolve => setTimeout(resolve, 5));
      size += value?.length ?? 0;
    }
    expect(size).toBeLessThan(2_000_000);
    expect(asked).toBeLessThan(bomb.length / 5);
    await reading.return?.();
    expect(await reading.next()).toEqual({ done: true, value: undefined });
  });
});

async function* pieces(...all: Uint8Array[]) {
  yield* all;
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks = [];
  for await (const bytes of body) chunks.push(bytes);
  return Buffer.concat(chunks).toString();
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
}
