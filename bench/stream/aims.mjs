import { ratioOf } from './rounds.mjs';
import {
  NUMBERED_50,
  TEXT_1,
  TEXT_1_WIDE,
  TEXT_50,
  TEXT_50_WIDE,
  TOOLS_1000,
  TOOLS_8000,
} from './scenarios.mjs';

/** Scenario, row, the row it is compared with, and the most it may be of that. */
const RATIOS = [
  [TEXT_50, 'avionics', 'bare', 1.6],
  [TEXT_1, 'avionics', 'bare', 1.6],
  [TEXT_50, 'airframe', 'bare', 1.3],
  [TEXT_50_WIDE, 'airframe', 'bare', 1.3],
  [NUMBERED_50, 'airframe', 'bare', 1.3],
  [TEXT_1, 'airframe', 'bare', 1.5],
  [TEXT_1_WIDE, 'airframe', 'bare', 1.5],
  [TEXT_50, 'airframe', 'openai', 1 / 2],
  [TEXT_50_WIDE, 'airframe', 'openai', 1 / 2],
  [TEXT_50, 'airframe', 'ai', 1 / 5],
  [TEXT_50_WIDE, 'airframe', 'ai', 1 / 5],
];

/**
 * What is aimed at, as far as it was measured.
 * @returns `{ aim, value, limit }` each: met when the value is at most the limit
 */
export function aimsOf({ rows = [], imports = [], memory = [] }) {
  const aims = [];
  const add = (aim, value, limit) => {
    if (value !== undefined) aims.push({ aim, value, limit });
  };
  const find = (scenario, name) => rows.find(({ scenario: of, row }) => of === scenario.name && row === name);
  for (const [scenario, row, other, limit] of RATIOS) {
    const ratio = ratioOf(find(scenario, row), find(scenario, other));
    add(`${row} ÷ ${other}: ${scenario.name}`, ratio, limit);
  }
  const [many, few] = [find(TOOLS_8000, 'airframe'), find(TOOLS_1000, 'airframe')].map(
    result => result?.cpuMicrosPerEvent,
  );
  add('a fragment among 8,000 ÷ one among 1,000', many && few && many / few, 2);
  for (const { name, growthMb, limit } of memory) add(`${name}, MiB`, growthMb, limit);
  add('import of @x/airframe, ms', imports.find(set => set.imports === '@x/airframe')?.wallMs, 60);
  return aims;
}
