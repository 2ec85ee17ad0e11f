// What the soak is judged by: exact books, nothing in use at the end, and memory that does not grow.
import { billOf, PRICE, planOf } from './plan.mjs';

const MB = 1024 * 1024;

/** Memory is judged only after so many samples behind the warm-up: before that it is caches that fill. */
export const MIN_SAMPLES = 12;
/** Share of the samples that counts as warm-up. */
const WARM_UP = 1 / 3;

/** What may be added between the two halves behind the warm-up: a share of what is in use, or so many bytes if that is more. */
const GROWTH = { bytes: [0.05, 3 * MB], rssBytes: [0.15, 24 * MB] };

/** What all calls of these numbers have to be billed. @param isFree (id) → true where the provider costs nothing */
export function expectedBill(spans, isFree = () => false) {
  const sum = { prompt: 0, completion: 0, usd: 0 };
  for (const [from, to] of spans) {
    for (let id = from; id < to; id++) {
      const { prompt, completion } = billOf(planOf(id));
      sum.prompt += prompt;
      sum.completion += completion;
      if (!isFree(id)) sum.usd += (prompt * PRICE.prompt + completion * PRICE.completion) / 1_000;
    }
  }
  return { ...sum, tokens: sum.prompt + sum.completion };
}

/** Rows of `{ who, what, seen, wanted, held }`. */
export function booksRows(who, { expected, limits, told }) {
  const spent = unit => limits.find(one => one.unit === unit)?.spent ?? Number.NaN;
  const reserved = limits.reduce((sum, one) => sum + one.reserved, 0);
  const cents = value => Number(value.toFixed(6));
  return [
    equal(who, 'tokens that were counted', told.tokens, expected.tokens),
    equal(who, 'tokens that the budget says were spent', spent('tokens'), expected.tokens),
    equal(who, 'US dollars that the budget says were spent', cents(spent('usd')), cents(expected.usd)),
    equal(who, 'amounts still reserved', reserved, 0),
  ];
}

export function equal(who, what, seen, wanted) {
  return { who, what, seen, wanted: `${wanted}`, held: seen === wanted };
}

export function atMost(who, what, seen, limit) {
  return { who, what, seen, wanted: `≤ ${limit}`, held: seen <= limit };
}

/** @param samples `{ minute, bytes, rssBytes }` each, taken at rest after a garbage collection */
export function memoryRows(who, samples) {
  const steady = samples.slice(Math.ceil(samples.length * WARM_UP));
  if (steady.length < MIN_SAMPLES) return [];
  const half = Math.floor(steady.length / 2);
  return Object.entries(GROWTH).map(([key, [share, most]]) => {
    const [before, after] = [steady.slice(0, half), steady.slice(-half)].map(part => median(part, key));
    const limit = Math.max(before * share, most);
    const name = key === 'bytes' ? 'heap and buffers' : 'resident memory';
    const slope = slopeOf(steady, key);
    return {
      ...atMost(who, `growth of ${name} behind the warm-up, MB`, mb(after - before), mb(limit)),
      note: `${mb(before)} MB, slope ${mb(slope)} MB/min`,
    };
  });
}

export const mb = bytes => Number((bytes / MB).toFixed(2));

function median(samples, key) {
  const sorted = samples.map(sample => sample[key]).sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Of the line through all samples, by least squares; bytes a minute. */
function slopeOf(samples, key) {
  const mean = of => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [x, y] = [mean(({ minute }) => minute), mean(sample => sample[key])];
  const over = samples.reduce((sum, sample) => sum + (sample.minute - x) * (sample[key] - y), 0);
  const under = samples.reduce((sum, { minute }) => sum + (minute - x) ** 2, 0);
  return under === 0 ? 0 : over / under;
}
