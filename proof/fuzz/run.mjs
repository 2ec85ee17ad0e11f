// `pnpm proof:fuzz`: random input for a minute, each case of which can be made again by its seed. See proof/README.md.
import { createHash } from 'node:crypto';
import { named, seedOf } from '../../bench/command.mjs';
import { printTable } from '../../bench/report.mjs';
import { ensureBuilt, ensureInstalled } from '../../scripts/workspace.mjs';
import { positive, proof } from '../command.mjs';

const CODE = ['packages/airframe/src', 'packages/avionics/src', 'apps/gateway/src'];
/** Cases of a part at once. */
const AT_ONCE = 8;
/** After so many there is nothing more to learn from one part. */
const MOST_PROBLEMS = 5;
const PROGRESS_MS = 5_000;

const options = {
  seconds: { type: 'string', default: '60' },
  seed: { type: 'string' },
  only: { type: 'string', multiple: true, default: [] },
  case: { type: 'string' },
};
await proof('proof-fuzz', CODE, options, main);

async function main(values) {
  const seconds = positive(values.seconds, 'seconds');
  const seed = seedOf(values.seed ?? `${Date.now() % 2 ** 32}`);
  await ensureInstalled();
  await ensureBuilt();
  const { PARTS } = await import('./parts.mjs');
  const { Random } = await import('../../packages/airframe/test/fuzz/random-stream.ts');
  const names = named(
    values.only,
    PARTS.map(({ name }) => name),
  );
  const parts = PARTS.filter(({ name }) => names.length === 0 || names.includes(name));
  const shares = parts.reduce((sum, { share }) => sum + share, 0);
  console.log(`seed ${seed}: \`pnpm proof:fuzz --seed ${seed}\` makes the same cases again`);
  const rows = [];
  for (const part of parts) {
    const plan = { seed, seconds: (seconds * part.share) / shares, only: values.case };
    rows.push(await fuzz(part, plan, Random));
  }
  printRows(rows);
  const command = `pnpm proof:fuzz --seconds ${seconds} --seed ${seed}`;
  return { held: rows.every(({ held }) => held), figures: { command, seconds, seed, rows } };
}

/** Makes cases of one part until its time is over. */
async function fuzz(part, { seed, seconds, only }, Random) {
  const running = await part.start();
  try {
    return await casesOf(part, running, { seed, seconds, only }, Random);
  } finally {
    // Also when a case could not be made: what runs on would keep the process.
    await running.stop();
  }
}

async function casesOf(part, running, { seed, seconds, only }, Random) {
  const outcomes = {};
  const problems = [];
  const [startedAt, endsAt] = [performance.now(), performance.now() + seconds * 1_000];
  let [index, toldAt] = [only === undefined ? 0 : seedOf(only), startedAt];
  const first = index;
  const one = async () => {
    while (
      problems.length < MOST_PROBLEMS &&
      (only === undefined ? performance.now() < endsAt : index === first)
    ) {
      const at = index++;
      const { outcome, problem } = await running.next(new Random(seedOfCase(seed, part.name, at)));
      if (problem) problems.push(`${part.name}, --seed ${seed} --case ${at}: ${problem}`);
      else outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (performance.now() - toldAt < PROGRESS_MS) continue;
      toldAt = performance.now();
      const done = `${((toldAt - startedAt) / 1_000).toFixed(0)} of ${seconds.toFixed(0)} s`;
      process.stderr.write(`${part.name}: ${done}, ${index} ${part.unit}, ${problems.length} problems\n`);
    }
  };
  await Promise.all(Array.from({ length: only === undefined ? AT_ONCE : 1 }, one));
  const whole = await running.problem?.();
  if (whole) problems.push(`${part.name}: ${whole}`);
  const { name, promise, unit } = part;
  return { name, promise, unit, cases: index - first, outcomes, problems, held: problems.length === 0 };
}

/** Each case has a seed of its own, so that it can be made alone. */
function seedOfCase(seed, part, index) {
  return createHash('sha256').update(`${seed} ${part} ${index}`).digest().readUInt32LE();
}

function printRows(rows) {
  const cells = rows.map(({ name, cases, unit, outcomes, held }) => {
    const most = Object.entries(outcomes).sort(([, one], [, other]) => other - one);
    const told = most.map(([outcome, count]) => `${count} × ${outcome}`).join(', ');
    return [`${held ? '✓' : '✗'} ${name}`, `${cases} ${unit}`, told];
  });
  printTable('fuzzed', ['', 'made', 'seen'], cells);
  for (const problem of rows.flatMap(({ problems }) => problems)) console.log(problem);
}
