import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startChild } from '../bench/child.mjs';
import { aimsOf } from '../bench/gateway/aims.mjs';
import { glance, inspect } from '../bench/gateway/answer.mjs';
import { microsPerEvent, quantile } from '../bench/gateway/figures.mjs';
import { responseReader } from '../bench/gateway/line.mjs';
import { groupOf, timesOf } from '../bench/gateway/profiles.mjs';
import { measureScenario, startRows, stopRows } from '../bench/gateway/rounds.mjs';
import { DIRECT, FLOOR, OURS, PORTKEY, ROWS } from '../bench/gateway/rows.mjs';
import { FULL, PACED } from '../bench/gateway/scenarios.mjs';
import { streamOf } from '../bench/gateway/workload.mjs';

const file = (name: string) => fileURLToPath(new URL(`../bench/gateway/${name}`, import.meta.url));
const SHORTEST = { rounds: 2, roundMs: 50, warmUpMs: 0, againMs: 0 };

describe('the gateway benchmark', { timeout: 60_000 }, () => {
  let upstream: Awaited<ReturnType<typeof startChild>>;
  let load: Awaited<ReturnType<typeof startChild>>;

  beforeAll(async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    [upstream, load] = await Promise.all([startChild(file('upstream.mjs')), startChild(file('load.mjs'))]);
  });
  afterAll(async () => {
    await load.stop();
    await upstream.stop();
    vi.restoreAllMocks();
  });

  it('measures its floors in processes of their own', async () => {
    const floors = ROWS.filter(({ name }: { name: string }) => name === DIRECT || name === FLOOR);
    const { running, absent } = await startRows(floors, upstream.ready.origin, load, SHORTEST);
    const scenario = { ...FULL, connections: 3 };
    const results = await measureScenario(running, load, scenario, SHORTEST);
    const paced = await measureScenario(running, load, { ...PACED, perSecond: 200, minMs: 0 }, SHORTEST);
    await stopRows(running);
    expect(absent).toEqual([]);
    expect(results).toMatchObject([
      { row: DIRECT, requestsPerSecond: expect.any(Number), last: { p99: expect.any(Number) } },
      { row: FLOOR, cpuMicros: expect.any(Number), cpuRatio: 1, rssMb: expect.any(Number) },
    ]);
    for (const { rounds } of paced) expect(rounds[0].requestsPerSecond).toBeLessThanOrEqual(400);
  });

  it('leaves out a row that does not start, or whose answers are not whole', async () => {
    const busy = createServer((_request, response) => response.writeHead(503).end('busy'));
    await new Promise<void>(resolve => busy.listen(0, '127.0.0.1', resolve));
    const { port } = busy.address() as AddressInfo;
    const stop = vi.fn();
    const rows = [
      { name: 'broken', start: () => Promise.reject(new Error('no such file\n    at somewhere')) },
      { name: 'busy', start: async () => ({ origin: `http://127.0.0.1:${port}`, headers: {}, stop }) },
    ];
    const { running, absent } = await startRows(rows, upstream.ready.origin, load, SHORTEST);
    busy.close();
    expect(running).toEqual([]);
    expect(absent).toEqual([
      { row: 'broken', failure: 'no such file' },
      { row: 'busy', failure: 'status 503: busy' },
    ]);
    expect(stop).toHaveBeenCalledOnce();
  });
});

describe('the load generator', () => {
  const { first, piece, last } = streamOf('script-2');
  const whole = [first, piece(0), piece(1), last(2)];
  const answer = (parts: string[], status = 200) => ({
    status,
    body: Buffer.from(parts.join('')),
    events: 2,
    stream: true,
  });

  it('reads a response wherever it is cut', () => {
    const chunks = whole.map(part => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`);
    const wire = Buffer.from(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`,
    );
    for (let at = 1; at < wire.length; at++) {
      let body = '';
      const read = responseReader((part: Buffer) => {
        body += part;
      });
      expect(read(wire.subarray(0, at))).toBeUndefined();
      expect(read(wire.subarray(at))).toBe(200);
      expect(body).toBe(whole.join(''));
    }
  });

  it('takes no answer that is not whole', () => {
    expect(() => inspect(answer(whole))).not.toThrow();
    expect(() => glance(answer(whole, 503))).toThrow(/^status 503/);
    expect(() => glance(answer(whole.slice(0, 3)))).toThrow(/^no \[DONE\]/);
    expect(() => glance(answer([first, piece(0), last(2)]))).toThrow('1 events instead of 2');
    expect(() => inspect(answer([first, piece(1), piece(0), last(2)]))).toThrow(/the text is/);
    expect(() => inspect(answer([first, piece(0), piece(1), last(3)]))).toThrow(/the usage is/);
  });
});

describe('the figures of the gateway benchmark', () => {
  const result = (row: string, rounds: object[], scenario = FULL, more = {}) => ({
    ...{ scenario: scenario.name, row, rounds },
    ...more,
  });

  it('are told against what was aimed at, round by round, as far as they were measured', () => {
    const rounds = (...pairs: [number, number][]) =>
      pairs.map(([cpuMicros, requestsPerSecond]) => ({ cpuMicros, requestsPerSecond }));
    const rows = [
      result(OURS, rounds([100, 70], [900, 7], [110, 60])),
      result(FLOOR, rounds([50, 150], [600, 20], [50, 150])),
      result(PORTKEY, rounds([1000, 10], [7000, 1], [1000, 10])),
      result(OURS, [{}], PACED, { last: { addedP99: 3 } }),
    ];
    expect(aimsOf({ rows, open: [{ row: OURS, rssMb: 300 }] })).toEqual([
      { aim: `CPU per request, ${OURS} ÷ ${FLOOR}: ${FULL.name}`, value: 2, limit: 2 },
      { aim: `requests/s, ${OURS} ÷ ${PORTKEY}: ${FULL.name}`, value: 7, atLeast: 6 },
      { aim: `added p99 of ${OURS}, ms: ${PACED.name}`, value: 3, limit: 5 },
      { aim: `2000 open streams of ${OURS}, MiB`, value: 300, limit: 400 },
    ]);
    const failed = rows.map(row =>
      row.row === OURS ? { ...row, rounds: [], last: undefined, failure: 'gone' } : row,
    );
    expect(aimsOf({ rows: failed, open: [{ row: OURS, failure: 'gone' }] })).toEqual([]);
  });

  it('are quantiles by rank, and the slope between answers of few events and of many', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(
      quantile(
        Array.from({ length: 200 }, (_, at) => at + 1),
        0.99,
      ),
    ).toBe(198);
    const end = (events: number, cpuMicros: number) => ({ events, result: result(OURS, [{ cpuMicros }]) });
    expect(microsPerEvent(end(20, 100), end(200, 280))).toBe(1);
  });
});

describe('the profile of a row', () => {
  it('tells the time of functions themselves, and of packages', () => {
    const frame = (id: number, functionName: string, url: string, children?: number[]) => ({
      ...{ id, callFrame: { functionName, url, lineNumber: 0 } },
      ...(children && { children }),
    });
    const nodes = [frame(1, 'read', 'file:///x/a.js', [2]), frame(2, 'parse', ''), frame(3, '(idle)', '')];
    expect(timesOf({ nodes, samples: [1, 2, 3, 1], timeDeltas: [5, 10, 20, 40] })).toEqual([
      { name: '(idle)', url: '', line: 1, selfMicros: 40, totalMicros: 40 },
      { name: 'parse', url: '', line: 1, selfMicros: 20, totalMicros: 20 },
      { name: 'read', url: 'file:///x/a.js', line: 1, selfMicros: 10, totalMicros: 30 },
    ]);
    expect(groupOf({ name: 'read', url: 'file:///x/packages/airframe/dist/index.js' })).toBe('airframe');
    expect(groupOf({ name: 'go', url: 'file:///x/node_modules/.pnpm/a@1/node_modules/@a/b/c.js' })).toBe(
      '@a/b',
    );
    expect(groupOf({ name: 'go', url: 'file:///x/apps/gateway/node_modules/undici/c.js' })).toBe('undici');
    expect(groupOf({ name: 'emit', url: 'node:events' })).toBe('node');
  });
});
