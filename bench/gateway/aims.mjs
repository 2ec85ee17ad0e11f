import { ratioOf } from './figures.mjs';
import { FLOOR, OURS, PORTKEY } from './rows.mjs';
import { FULL, OPEN, PACED } from './scenarios.mjs';

/**
 * What is aimed at, as far as it was measured.
 * @returns `{ aim, value, limit }` or `{ aim, value, atLeast }` each
 */
export function aimsOf({ rows = [], open = [] }) {
  const aims = [];
  const add = (aim, value, bound) => {
    if (value !== undefined && !Number.isNaN(value)) aims.push({ aim, value, ...bound });
  };
  const find = (scenario, row) => rows.find(one => one.scenario === scenario.name && one.row === row);
  const [ours, floor, portkey] = [OURS, FLOOR, PORTKEY].map(row => find(FULL, row));
  add(`CPU per request, ${OURS} ÷ ${FLOOR}: ${FULL.name}`, ratioOf(ours, floor, 'cpuMicros'), { limit: 2 });
  add(`requests/s, ${OURS} ÷ ${PORTKEY}: ${FULL.name}`, ratioOf(ours, portkey, 'requestsPerSecond'), {
    atLeast: 6,
  });
  add(`added p99 of ${OURS}, ms: ${PACED.name}`, find(PACED, OURS)?.last?.addedP99, { limit: 5 });
  const { rssMb } = open.find(({ row }) => row === OURS) ?? {};
  add(`${OPEN.streams} ${OPEN.name} of ${OURS}, MiB`, rssMb, { limit: 400 });
  return aims;
}
