import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canRequireModules } from '../scripts/release/node-runtimes.mjs';
import { stageRelease } from '../scripts/release/stage.mjs';

const CHANGESETS = fileURLToPath(new URL('../.changeset', import.meta.url));

/** Package → what its changesets ask for. */
const asked = readdirSync(CHANGESETS)
  .filter(name => name.endsWith('.md'))
  .flatMap(name => [
    ...readFileSync(join(CHANGESETS, name), 'utf8').matchAll(/^['"](.+)['"]: (major|minor|patch)$/gm),
  ])
  .map(([, name = '', bump = '']) => ({ name, bump }));

describe('the next release', { timeout: 60_000 }, () => {
  let copy: string;
  let packages: { name: string; from: string; to: string; changelog: string }[];
  beforeAll(async () => {
    copy = mkdtempSync(join(tmpdir(), 'airframe-stage-'));
    packages = await stageRelease(copy);
  }, 60_000);
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it('raises each version as its changesets ask, and none to a major for a peer', () => {
    const major = (version: string) => Number.parseInt(version, 10);
    for (const { name, from, to } of packages) {
      const bumps = asked.filter(one => one.name === name).map(({ bump }) => bump);
      if (bumps.length > 0) expect(to).not.toBe(from);
      if (!bumps.includes('major')) expect(`${name}: ${major(to)}`).toBe(`${name}: ${major(from)}`);
    }
  });

  it('writes into the changelog what the changesets say', () => {
    for (const { name, changelog } of packages) {
      if (asked.some(one => one.name === name))
        expect(changelog).toMatch(/^### (?:Major|Minor|Patch) Changes/);
    }
  });

  it('leaves the workspace as it is', () => {
    for (const { name, from } of packages) {
      const folder = `../packages/${name.replace('@x/', '')}/package.json`;
      expect(JSON.parse(readFileSync(new URL(folder, import.meta.url), 'utf8')).version).toBe(from);
    }
  });
});

describe('require of ES modules', () => {
  it.each([
    ['20.18.1', false],
    ['20.19.0', true],
    ['22.11.0', false],
    ['22.12.0', true],
    ['24.0.0', true],
  ])('by Node %s: %s', (version, can) => {
    expect(canRequireModules(version)).toBe(can);
  });
});
