// The parts of `pnpm proof:fuzz`. Each gives `next(random)`: makes and checks one case, and resolves with what is wrong.
import '../../scripts/run-sources.mjs';
import { requestCases, wireCases } from './requests.mjs';

const AIRFRAME = '../../packages/airframe';
const { RandomStreams } = await import(`${AIRFRAME}/test/fuzz/random-stream.ts`);
const { cutsOf, differenceIn } = await import(`${AIRFRAME}/test/fuzz/compare.ts`);

const { ADAPTERS, folderOf } = await import(`${AIRFRAME}/src/adapters/__fixtures__/replayed.ts`);
const { cutAt, normalised, reader, streamFixtures } = await import('../../test/stream-fixtures.ts');

/** How many streams make one case: a single one takes microseconds. */
const STREAMS = 500;

export const PARTS = [
  {
    name: 'event streams',
    promise: 'Any bytes, cut anywhere, are read as the HTML standard says',
    unit: `cases of ${STREAMS} streams`,
    share: 1,
    start: async () => ({ next: async random => streamsIn(random), stop: async () => {} }),
  },
  {
    name: 'recorded streams',
    promise: 'What a backend was recorded to send gives the same events, wherever the network cuts it',
    unit: 'cuts',
    share: 1,
    start: startRecordings,
  },
  {
    name: 'requests',
    promise:
      'Any body gets a whole answer or an error of its protocol’s own form: no 500, no hang, nothing left under way',
    unit: 'requests',
    share: 2,
    start: requestCases,
  },
  {
    name: 'wire bytes',
    promise: 'Any bytes get an HTTP answer that is no 5xx, or an end of the connection: no hang, no crash',
    unit: 'connections',
    share: 1,
    start: wireCases,
  },
];

async function streamsIn(random) {
  const streams = new RandomStreams(random);
  for (let index = 0; index < STREAMS; index++) {
    const bytes = streams.next();
    const difference = differenceIn(bytes, cutsOf(index, bytes, random));
    if (difference) return { problem: `stream ${index}: ${difference}` };
  }
  return { outcome: 'read alike' };
}

async function startRecordings() {
  const recordings = Object.entries(ADAPTERS).flatMap(([adapter, replayed]) =>
    streamFixtures(folderOf(adapter)).map(({ name, bytes }) => ({ adapter, replayed, name, bytes })),
  );
  return { next: random => cutRecording(random.of(recordings), random), stop: async () => {} };
}

async function cutRecording({ adapter, replayed, name, bytes }, random) {
  const whole = normalised(await reader(replayed, name)([bytes]));
  const cuts = Array.from({ length: 1 + random.below(20) }, () => 1 + random.below(bytes.length - 1));
  const found = normalised(await reader(replayed, name)(cutAt(bytes, [...new Set(cuts)])));
  if (found === whole) return { outcome: 'read alike' };
  return { problem: `${adapter}/${name} cut at bytes ${cuts} gave ${found} instead of ${whole}` };
}
