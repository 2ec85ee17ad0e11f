import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

describe('CONTRIBUTING.md', () => {
  it.each([
    ['Add a provider', 'packages/avionics/src'],
    ['Add a protocol or a route', 'apps/gateway/src'],
  ])('names files that are there: %s', (heading, folder) => {
    const [, section = ''] = read('CONTRIBUTING.md').split(`## ${heading}\n`);
    const [own = ''] = section.split('\n## ');
    const files = [...own.matchAll(/^\| `([^`]+)`/gm)].map(([, file = '']) =>
      file.replace('yours', 'anthropic'),
    );
    expect(files.length).toBeGreaterThan(5);
    const folders = (file: string) => [file, file.replace('/anthropic/', '/anthropic-messages/')];
    const missing = files.filter(
      file => !folders(file).some(name => existsSync(new URL(`../${folder}/${name}`, import.meta.url))),
    );
    expect(missing).toEqual([]);
  });
});
