// Tool calls whose pieces come twice, late, or in another order than they belong.
import { describe, expect, it } from 'vitest';
import type { Script } from '../../../../test/scripted-server.ts';
import { call } from '../faults/client.ts';
import { billed, gatewayOver, recordOf } from '../faults/gateway.ts';
import { MODES, read, type Told } from '../faults/protocols.ts';
import { type Upstream, upstream } from '../faults/upstream.ts';

const oslo = { id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' };
const rome = { id: 'call_2', name: 'get_weather', arguments: '{"city":"Rome"}' };

/** The first piece of a call, with all that names it. */
const first = (index: number, { id, name }: typeof oslo, args = '') => ({
  index,
  id,
  type: 'function',
  function: { name, arguments: args },
});
const more = (index: number, args: string) => ({ index, function: { arguments: args } });
const ends = (up: Upstream) => up.finish('tool_calls').usage(20, 9).done();

interface Row {
  pieces: string;
  script: Script;
  calls: Told['calls'];
}

const rows: Row[] = [
  {
    pieces: 'name the call again and again',
    script: upstream(up => ends(up.calls(first(0, oslo, '{"city":')).calls(first(0, oslo, '"Oslo"}')))),
    calls: [oslo],
  },
  {
    pieces: 'of two calls are mixed, the second one first',
    script: upstream(up =>
      ends(
        up
          .calls(first(1, rome))
          .calls(first(0, oslo))
          .calls(more(1, '{"city":'))
          .calls(more(0, '{"city":'), more(1, '"Rome"}'))
          .calls(more(0, '"Oslo"}')),
      ),
    ),
    calls: [rome, oslo],
  },
  {
    pieces: 'name the call behind its arguments',
    script: upstream(up =>
      ends(up.calls(more(0, '{"city":')).calls(more(0, '"Oslo"}')).calls(first(0, oslo))),
    ),
    calls: [oslo],
  },
  {
    pieces: 'give no id',
    script: upstream(up =>
      ends(up.calls({ index: 0, function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } })),
    ),
    calls: [{ ...oslo, id: 'call_0' }],
  },
  {
    pieces: 'give the arguments whole, and the end of the stream behind them twice',
    script: upstream(up => ends(up.calls(first(0, oslo, oslo.arguments)).finish('tool_calls'))),
    calls: [oslo],
  },
];

const modes = MODES.filter(({ protocol }) => protocol.tools);

describe.each(rows)('a tool call whose pieces $pieces', ({ script, calls }) => {
  it.each(modes)('is whole in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[script]]);
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    const told = read(protocol, answer, stream);
    expect(told).toMatchObject({ outcome: 'whole', usage: [20, 9] });
    const sorted = (list: Told['calls']) => list.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(sorted(told.calls)).toEqual(sorted(calls));
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record).toMatchObject({ state: 'succeeded', finishReason: 'tool_calls' });
    expect(await billed(gateway, record)).toMatchObject({ prompt: 20, completion: 9 });
  });
});

describe('a piece of arguments that comes twice', () => {
  it.each(modes)('is told as it came in $mode, and nobody mends it', async ({ protocol, stream }) => {
    const twice = upstream(up =>
      ends(
        up
          .calls(first(0, oslo))
          .calls(more(0, '{"city":'))
          .calls(more(0, '{"city":'))
          .calls(more(0, '"Oslo"}')),
      ),
    );
    const gateway = await gatewayOver([[twice]]);
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    const told = read(protocol, answer, stream);
    expect(told.outcome).toBe('whole');
    const garbled = '{"city":{"city":"Oslo"}';
    const isObject = protocol.name === 'messages' && !stream;
    expect(told.calls[0]?.arguments).toBe(isObject ? JSON.stringify({ INVALID_JSON: garbled }) : garbled);
  });
});

describe('half a tool call', () => {
  const half = upstream(up => up.say('Let me see.').calls(first(0, oslo)).calls(more(0, '{"city":')).eof());
  const whole = upstream(up => ends(up.calls(first(0, rome, rome.arguments))));

  it.each(modes)('is an honest error in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[half]]);
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    expect(read(protocol, answer, stream).outcome).toBe('error');
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record.state).toBe('failed');
    await billed(gateway, record);
  });

  it.each(modes)('is never gone on with by another provider in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([[half], [whole]], { midStream: 'continue' });
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    const told = read(protocol, answer, stream);
    if (stream) expect(told.outcome).toBe('error');
    else expect(told).toMatchObject({ outcome: 'whole', text: 'Let me see.', calls: [rome] });
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record.state).toBe(stream ? 'failed' : 'succeeded');
    await billed(gateway, record);
  });
});
