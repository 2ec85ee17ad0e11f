import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  Adapter,
  EndpointSpec,
  HttpFn,
  InferenceRequest,
  InferenceStreamEvent,
} from '../packages/airframe/src/index.ts';

/** How the fixtures of one adapter are read. */
export interface Replayed {
  /** Makes the real adapter over an HttpFn that serves the fixture. */
  adapter(http: HttpFn): Adapter;
  endpoint: EndpointSpec;
  /** For adapters whose route, and so the wire format, hangs on these. */
  ofFixture?(name: string): { endpoint?: Partial<EndpointSpec>; request?: InferenceRequest };
}

/** Of the random splits. */
const SEED = Number(process.env['FIXTURE_SEED'] ?? Date.now() % 2 ** 31);
let isTold = false;
const RANDOM_SPLITS = 25;

const REQUEST: InferenceRequest = { messages: [{ role: 'user', content: 'hi' }] };

/** The `.sse` files below a folder, byte for byte. */
export function streamFixtures(folder: URL): { name: string; bytes: Buffer }[] {
  const names = readdirSync(folder).filter(name => name.endsWith('.sse'));
  return names.map(file => ({ name: file.slice(0, -4), bytes: readFileSync(new URL(file, folder)) }));
}

/**
 * Tests that each `.sse` file in a folder gives identical events however the network cuts it: whole, in two pieces at
 * every byte, byte by byte, and in random pieces. What the reply comes to stands in a snapshot.
 */
export function describeFixtures(title: string, folder: URL, replayed: Replayed): void {
  if (!isTold) console.log(`random splits of the fixtures: FIXTURE_SEED=${SEED} repeats them`);
  isTold = true;
  describe(title, () => {
    it.each(streamFixtures(folder))(
      '$name is read alike however it is cut',
      async ({ name, bytes }) => {
        const read = reader(replayed, name);
        const events = await read([bytes]);
        const expected = normalised(events);
        const expectSame = async (how: string, pieces: Uint8Array[]) => {
          const found = normalised(await read(pieces));
          // Only a difference is worth the price of `expect`.
          if (found !== expected) expect(found, `${how}, FIXTURE_SEED=${SEED}`).toBe(expected);
        };
        for (let at = 1; at < bytes.length; at++) {
          await expectSame(`cut at byte ${at}`, [bytes.subarray(0, at), bytes.subarray(at)]);
        }
        await expectSame(
          'byte by byte',
          Array.from(bytes, byte => Uint8Array.of(byte)),
        );
        const cuts = fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 });
        await fc.assert(
          fc.asyncProperty(cuts, at => expectSame(`cut at bytes ${at}`, cutAt(bytes, at))),
          { seed: SEED, numRuns: RANDOM_SPLITS },
        );
        expect(outcomeOf(events)).toMatchSnapshot();
      },
      60_000,
    );
  });
}

/** Reads a fixture that comes in these pieces. */
export function reader(
  { adapter, endpoint, ofFixture }: Replayed,
  name: string,
): (pieces: Uint8Array[]) => Promise<InferenceStreamEvent[]> {
  let served: Uint8Array[] = [];
  const over = adapter(async () => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: (async function* () {
      yield* served;
    })(),
  }));
  const { endpoint: special, request = REQUEST } = ofFixture?.(name) ?? {};
  return async pieces => {
    served = pieces;
    const events: InferenceStreamEvent[] = [];
    for await (const event of over.streamInfer({ ...endpoint, ...special }, request)) events.push(event);
    return events;
  };
}

export function cutAt(bytes: Uint8Array, positions: number[]): Uint8Array[] {
  const cuts = [0, ...positions.toSorted((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((to, index) => bytes.subarray(cuts[index], to));
}

const OF_THE_CLOCK = new Set(['startedAt', 'durationMs', 'totalMs', 'firstTokenMs']);

/** As text, without what a clock here put in. */
export function normalised(events: InferenceStreamEvent[]): string {
  return events.map(event => JSON.stringify(event, hasClock(event) ? withoutClock : undefined)).join('\n');
}

const hasClock = ({ type }: InferenceStreamEvent): boolean => type === 'done' || type === 'error';

function withoutClock(key: string, value: unknown): unknown {
  if (OF_THE_CLOCK.has(key)) return 0;
  return value instanceof Error ? { ...value, message: value.message } : value;
}

/** What a reader of the fixture wants to see: the reply, its error, and the end. */
function outcomeOf(events: InferenceStreamEvent[]): object {
  const outcome: Record<string, unknown> = {};
  for (const event of events) {
    if (event.type === 'token') outcome['text'] = `${outcome['text'] ?? ''}${event.text}`;
    if (event.type === 'message') outcome['message'] = JSON.parse(JSON.stringify(event.message, toldApart));
    if (event.type === 'error') {
      const { category, code, retryable, message } = event.error;
      outcome['error'] = { category, code, retryable, message };
    }
    if (event.type !== 'done') continue;
    const { type: _, timings: __, attempts: ___, ...rest } = event;
    outcome['done'] = rest;
  }
  if (outcome['message']) delete outcome['text'];
  return outcome;
}

/** The words of a parse error are those of the JavaScript engine. */
function toldApart(key: string, value: unknown): unknown {
  return key === 'parseError' ? 'not JSON' : value;
}
