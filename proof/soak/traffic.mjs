import { setTimeout as sleep } from 'node:timers/promises';
import { endingOf, planOf } from './plan.mjs';

/**
 * Makes the calls of these numbers, each at its time, and waits for all.
 * @param make (plan, id) → how it ended
 * @returns `{ ended, problems }`: how many ended in each way, and what ended in another way than its plan says
 */
export async function paced({ from, to, perSecond }, make) {
  const ended = { whole: 0, failed: 0, left: 0 };
  const problems = [];
  const one = async id => {
    await sleep(((id - from) * 1_000) / perSecond);
    const plan = planOf(id);
    const ending = await make(plan, id);
    ended[ending]++;
    if (ending !== endingOf(plan)) problems.push(`call ${id} (${plan.fate}) ended as ${ending}`);
  };
  await Promise.all(Array.from({ length: to - from }, (_, at) => one(from + at)));
  return { ended, problems };
}
