// All faults, in all protocols, at the same time, with clients that leave when they like.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import type { Script } from '../../../../test/scripted-server.ts';
import { open } from '../faults/client.ts';
import { billed, gatewayOver, metric, recordOf } from '../faults/gateway.ts';
import { MODES, read } from '../faults/protocols.ts';
import { hello, silent, stalls, status, upstream } from '../faults/upstream.ts';

const CALLS = 300;
const AT_ONCE = 40;
const SEED = Number(process.env['FAULTS_SEED'] ?? Date.now() % 2 ** 31);

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const scripts: Script[] = [
  ...[hello, hello, hello, silent, stalls, status(429, { 'retry-after-ms': '5' }), status(500), status(503)],
  upstream(up => up.reset()),
  upstream(async up => void (await up.said('Hello')).reset()),
  upstream(async up => (await up.said('Hello')).say(' world').finish().usage(12, 2).done()),
  upstream(up => up.say('Hello').eof()),
  upstream(up => up.say('Hello').error('no').done()),
  upstream(up => up.error('no').done()),
  upstream(up => up.say('Hello').event('{').done()),
];

it('no call hangs, none is taken for what it is not, and the books agree', async () => {
  const random = randomOf(SEED);
  const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const anyScript: Script = (response, seen) => any(scripts)(response, seen);
  const gateway = await gatewayOver([[anyScript], [anyScript], [anyScript]], { timeout: 0.3, maxRetries: 1 });
  const outcomes = new Map<string, number>();
  const one = async () => {
    const { protocol, stream } = any(MODES);
    const leavesAfter = random() < 0.2 ? random() * 300 : undefined;
    const { answer, leave } = open(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    if (leavesAfter !== undefined) void sleep(leavesAfter).then(leave);
    const got = await (leavesAfter === undefined ? answer : answer.catch(() => undefined));
    const isCut = leavesAfter !== undefined && !got?.whole;
    const told = got && (stream || !isCut) ? read(protocol, got, stream) : undefined;
    if (told?.outcome === 'whole') expect(told).toMatchObject({ text: 'Hello world', usage: [12, 2] });
    const outcome = !told || (told.outcome === 'muddled' && isCut) ? 'left' : told.outcome;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  };
  let left = CALLS;
  const caller = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  const seed = `FAULTS_SEED=${SEED} repeats it: ${JSON.stringify([...outcomes])}`;
  expect(outcomes.has('muddled'), seed).toBe(false);
  expect(outcomes.get('whole'), seed).toBeGreaterThan(0);
  expect(outcomes.get('error'), seed).toBeGreaterThan(0);
  await vi.waitFor(async () => expect(await metric(gateway, 'gateway_requests_in_flight')).toBe(0), 5_000);
  const ids = gateway.log().flatMap(({ protocol, requestId }) => (protocol ? [requestId] : []));
  // A client may leave before its request has come.
  expect(ids.length).toBeGreaterThanOrEqual(CALLS - (outcomes.get('left') ?? 0));
  const records = await Promise.all(ids.map(id => recordOf(gateway, id)));
  expect(records.filter(({ state }) => state === 'succeeded').length).toBeGreaterThanOrEqual(
    outcomes.get('whole') ?? 0,
  );
  await billed(gateway, ...records);
  const seen = gateway.upstreams.reduce((sum, upstream) => sum + upstream.seen.length, 0);
  const tries = records.reduce((sum, { attempts }) => sum + attempts.length, 0);
  expect(tries, seed).toBeGreaterThanOrEqual(seen);
});
