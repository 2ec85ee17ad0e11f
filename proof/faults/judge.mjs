// Puts scenarios and tests together.
import { claims } from './scenarios.mjs';
import { seenBy } from './words.mjs';

/**
 * @param tests `{ file, key, state, again, facts, error }` each, as the reporter wrote them
 * @returns `{ part, scenario, promise, seen, tests, again, held }` each; `again`: tests that passed at their second try
 */
export function judge(scenarios, tests) {
  return scenarios.map(({ part, scenario, promise, tests: wanted }) => {
    const found = tests.filter(({ key }) => wanted.some(claim => claims(claim, key)));
    const empty = wanted.filter(claim => !tests.some(({ key }) => claims(claim, key)));
    const failed = found.filter(({ state }) => state !== 'passed');
    const problems = [
      ...empty.map(claim => `no test is called ${JSON.stringify(claim)}`),
      ...failed.map(({ key, state, error }) => `${key}: ${error ?? state}`),
    ];
    const again = found.filter(test => test.again && test.state === 'passed').length;
    const row = { part, scenario, promise, seen: seenBy(found), tests: found.length, again };
    return { ...row, held: problems.length === 0, ...(problems.length > 0 ? { problems } : {}) };
  });
}

/** Tests of faults that no row speaks of. */
export function unclaimed(scenarios, tests) {
  const all = scenarios.flatMap(({ tests: wanted }) => wanted);
  return tests.filter(
    ({ file, key }) => file.startsWith('faults-') && !all.some(claim => claims(claim, key)),
  );
}
