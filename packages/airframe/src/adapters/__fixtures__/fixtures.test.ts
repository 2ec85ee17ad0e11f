import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeFixtures, streamFixtures } from '../../../../../test/stream-fixtures.ts';
import { ADAPTERS, folderOf } from './replayed.ts';

for (const [adapter, replayed] of Object.entries(ADAPTERS)) {
  describeFixtures(adapter, folderOf(adapter), replayed);
}

it('every adapter has fixtures, and no fixture is left out', () => {
  const folders = readdirSync(new URL('../', import.meta.url), { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !entry.name.startsWith('__'))
    .map(({ name }) => name);
  expect(folders.sort()).toEqual(Object.keys(ADAPTERS).sort());
  for (const name of folders) {
    expect(existsSync(folderOf(name)) && streamFixtures(folderOf(name)).length, name).toBeGreaterThan(3);
  }
});

const RECORDER = readFileSync(new URL('../../../../../scripts/record-fixtures.mjs', import.meta.url), 'utf8');

it.each(Object.keys(ADAPTERS))('a fixture of %s is a recording or says that it is constructed', adapter => {
  for (const { name, bytes } of streamFixtures(folderOf(adapter))) {
    const isRecorded = RECORDER.includes(`'${adapter}/${name}'`);
    expect(isRecorded !== bytes.toString('utf8').startsWith(': constructed from '), name).toBe(true);
  }
});
