import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkFigures, fillRegions, regionsOf, table } from '../scripts/figures.mjs';

const PAGE = '# Page\n\n<!-- figures:speed -->\n\nold\n\n<!-- /figures -->\n\nend\n';

describe('the figures of the docs', () => {
  it('are what their JSON gives, in pages and charts', async () => {
    expect(await checkFigures()).toEqual([]);
  });
});

describe('the regions of a page', () => {
  it('are read with their names and parts', () => {
    const parts = PAGE.replace('figures:speed', 'figures:speed:fleet');
    expect(regionsOf(PAGE + parts)).toEqual([
      { name: 'speed', part: undefined, body: 'old' },
      { name: 'speed', part: 'fleet', body: 'old' },
    ]);
  });

  it('are filled with what is given, the same once more, and nothing else is touched', () => {
    const filled = fillRegions(PAGE, name => `${name} is 5`);
    expect(filled).toBe(PAGE.replace('old', 'speed is 5'));
    expect(fillRegions(filled, name => `${name} is 5`)).toBe(filled);
    expect(fillRegions(PAGE, () => undefined)).toBe(PAGE);
  });
});

describe('a table', () => {
  it('is as the formatter writes it', () => {
    expect(table(['', 'ms'], [['fast', 1.5]]).split('\n')).toEqual([
      '|      |  ms |',
      '| ---- | --: |',
      '| fast | 1.5 |',
    ]);
  });
});

describe('the check of the figures', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'airframe-figures-'));
    mkdirSync(join(root, 'docs/figures'), { recursive: true });
    const module = `export const name = 'speed'; export const files = ['page.md'];
      export const render = ({ rows }) => \`\${rows[0]} ms\`; export const svg = () => '<svg/>';`;
    put('docs/figures/speed.mjs', module);
    put('docs/figures/speed.json', JSON.stringify({ name: 'speed', rows: [5] }));
    put('docs/figures/speed.svg', '<svg/>\n');
    put('page.md', PAGE.replace('old', '5 ms'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const put = (file: string, text: string) => writeFileSync(join(root, file), text);

  it('finds nothing where all is as it should be', async () => {
    expect(await checkFigures(root)).toEqual([]);
  });

  it('finds a page and a chart that are older than their JSON', async () => {
    put('page.md', PAGE);
    put('docs/figures/speed.svg', '<svg></svg>\n');
    expect(await checkFigures(root)).toEqual([
      'docs/figures/speed.svg is not what its figures give; node scripts/figures.mjs --write',
      'page.md is not what its figures give; node scripts/figures.mjs --write',
    ]);
  });

  it('finds regions that nobody fills, pages without their region, and JSON that is missing', async () => {
    put('page.md', PAGE.replace('figures:speed', 'figures:sped'));
    expect(await checkFigures(root)).toEqual([
      'page.md has a region figures:sped, but there is no docs/figures/sped.mjs',
      'page.md has no region figures:speed, though docs/figures/speed.mjs names it',
    ]);
    rmSync(join(root, 'docs/figures/speed.json'));
    expect(await checkFigures(root)).toContainEqual(
      'docs/figures/speed.json is missing; node scripts/figures.mjs --measure speed',
    );
  });
});
