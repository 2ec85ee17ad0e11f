// Upstreams that fail when they have begun to answer: in a stream the error comes behind what was sent, and nothing that
// a client takes for a good end.
import { describe, expect, it } from 'vitest';
import type { Script } from '../../../../test/scripted-server.ts';
import { call, rawPost, rawSocket } from '../faults/client.ts';
import { billed, gatewayOver, recordOf } from '../faults/gateway.ts';
import { CHAT, MODES, read } from '../faults/protocols.ts';
import { HUGE, hello, stalls, upstream } from '../faults/upstream.ts';

interface Row {
  fault: string;
  script: Script;
  /** What a client gets who does not stream. */
  status: number;
  category: string;
  /** Prompt and completion tokens that the upstream reported before it failed; absent: they are estimated. */
  reported?: [number, number];
  /** Of the provider, in seconds. */
  timeout?: number;
}

const broken = { status: 502, category: 'connection' };

const rows: Row[] = [
  { fault: 'stalls after its first event', script: stalls, timeout: 0.3, status: 504, category: 'timeout' },
  { fault: 'ends its body without an end signal', script: upstream(up => up.say('Hello').eof()), ...broken },
  {
    fault: 'resets the connection',
    script: upstream(async up => void (await up.said('Hello')).reset()),
    ...broken,
  },
  {
    fault: 'tells an error in a later event',
    script: upstream(up => up.say('Hello').usage(12, 1).error('no').done()),
    ...{ status: 502, category: 'backend', reported: [12, 1] },
  },
  {
    fault: 'sends half of a JSON value',
    script: upstream(up => up.say('Hello').event('{"choices":[').done()),
    ...{ status: 502, category: 'parse' },
  },
  {
    fault: 'sends an event without end',
    script: upstream(up => up.say('Hello').say(HUGE).finish().done()),
    ...{ status: 502, category: 'parse' },
  },
];

describe.each(rows)('an upstream that $fault', row => {
  it.each(MODES)('is an honest error in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[row.script]], row);
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    const told = read(protocol, answer, stream);
    expect(told).toMatchObject({ outcome: 'error', text: stream ? 'Hello' : '' });
    expect(answer.status).toBe(stream ? 200 : row.status);
    expect(answer.headers['x-gateway-attempts']).toBe('1');
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record).toMatchObject({ state: 'failed', status: answer.status });
    expect(record.error?.category).toBe(row.category);
    expect(record.attempts).toMatchObject([{ provider: 'up0', outcome: row.category }]);
    const { prompt, completion, usd } = await billed(gateway, record);
    if (row.reported) expect([prompt, completion]).toEqual(row.reported);
    expect(prompt).toBeGreaterThan(0);
    expect(completion).toBeGreaterThan(0);
    expect(usd).toBeCloseTo((prompt + 2 * completion) / 1_000, 9);
    expect(gateway.upstreams[0]?.seen.length).toBe(1);
  });
});

describe('a stream that broke off', () => {
  it('has no last chunk of chunked encoding, and its connection is closed', async () => {
    const gateway = await gatewayOver([[upstream(up => up.say('Hello').eof())]]);
    const { socket, text } = await rawSocket(gateway.url);
    const closed = new Promise(resolve => socket.on('close', resolve));
    socket.write(rawPost(CHAT.path, CHAT.ask(true)));
    await closed;
    expect(text()).toMatch(/transfer-encoding: chunked/i);
    expect(text()).toContain('"content":"Hello"');
    expect(text()).toContain('"category":"connection"');
    expect(text()).not.toMatch(/\r\n0\r\n/);
  });
});

describe('an answer that broke off and is taken up', () => {
  const breaks = upstream(up => up.say('Hello').eof());
  const ends = upstream(up => up.say(' world').finish().usage(20, 1).done());

  it.each(MODES)('is whole in $mode where the model says continue', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[breaks], [ends]], { midStream: 'continue' });
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    const told = read(protocol, answer, stream);
    expect(told).toMatchObject({ outcome: 'whole', text: 'Hello world' });
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record.attempts.map(({ outcome }) => outcome)).toEqual(['connection', 'ok']);
    const { prompt, completion } = await billed(gateway, record);
    expect(prompt).toBeGreaterThan(20);
    expect(completion).toBe(2);
  });

  it.each(MODES)(
    'begins anew in $mode where the model says restart, unless it streams',
    async ({ protocol, stream }) => {
      const gateway = await gatewayOver([[breaks], [hello]], { midStream: 'restart' });
      const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
      const told = read(protocol, answer, stream);
      if (stream) expect(told).toMatchObject({ outcome: 'error', text: 'Hello' });
      else expect(told).toMatchObject({ outcome: 'whole', text: 'Hello world' });
      const record = await recordOf(gateway, answer.headers['x-request-id']);
      expect(record.state).toBe(stream ? 'failed' : 'succeeded');
      expect(gateway.upstreams[1]?.seen.length).toBe(stream ? 0 : 1);
      await billed(gateway, record);
    },
  );

  it.each(MODES)('is an honest error in $mode when nobody can take it up', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[breaks], [upstream(up => up.reset())]], { midStream: 'continue' });
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    expect(read(protocol, answer, stream)).toMatchObject({ outcome: 'error' });
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record.state).toBe('failed');
    await billed(gateway, record);
  });
});
