// The parts of `pnpm proof:fuzz`. Each gives `next(random)`: makes and checks one case, and resolves with what is wrong.
import '../../scripts/run-sources.mjs';
import { requestCases, wireCases } from './requests.mjs';

const AIRFRAME = '../../packages/airframe';
const { RandomStreams } = await import(`${AIRFRAME}/test/fuzz/random-stream.ts`);
const { cutsOf, differenceIn } = await import(`${AIRFRAME}/test/fuzz/compare.ts`);

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
