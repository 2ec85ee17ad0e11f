import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** [file, test] of each row in docs/quirks.md. */
const ROWS = read('../docs/quirks.md')
  .split('\n')
  .map(line => line.split(' | ').map(cell => cell.replace(/^\|| \|$/g, '').trim()))
  .filter(cells => cells.length === 4 && cells[2]?.endsWith('.ts'))
  .map(([, , file = '', name = '']) => [file, name] as const);

it('docs/quirks.md names only tests that exist', () => {
  expect(ROWS.length).toBeGreaterThan(200);
  const missing = ROWS.filter(([file, name]) => {
    const source = read(`../packages/airframe/src/${file}`);
    return ![`'${name}'`, `"${name}"`, `\`${name}\``].some(quoted => source.includes(quoted));
  });
  expect(missing).toEqual([]);
});
