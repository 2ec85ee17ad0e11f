import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPage } from '../../scripts/docs/markdown.mjs';
import { ROOT, workspaceFolders } from '../../scripts/workspace.mjs';

/** The messages of docs/troubleshooting.md: its headings that are code. */
const MESSAGES = [...readPage('docs/troubleshooting.md').matchAll(/^### `(.*)`$/gm)].map(
  ([, message = '']) => message,
);

const SOURCES: string[] = [
  ...workspaceFolders().map((folder: string) => join(folder, 'src')),
  'packages/llamacpp-native/native',
  'scripts',
].flatMap(textsIn);

function textsIn(folder: string): string[] {
  const isSource = /^(?!.*(\.test\.|__fixtures__)).*\.(ts|mjs)$/;
  try {
    return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => isSource.test(name))
      .map(name => readFileSync(join(ROOT, folder, name), 'utf8'));
  } catch {
    // An app without sources.
    return [];
  }
}

/** What has to stand in one source: the parts between the dots, and between what is put in between. */
const partsOf = (message: string) =>
  message
    .split(/…|; |(?= within …)/)
    .map(part => part.trim().replace(/:$/, ''))
    .filter(part => /\w/.test(part));

describe('docs/troubleshooting.md', () => {
  it('goes by many messages', () => {
    expect(MESSAGES.length).toBeGreaterThan(50);
    expect(new Set(MESSAGES).size).toBe(MESSAGES.length);
  });

  it.each(MESSAGES)('quotes a message that is in the sources: %s', message => {
    const parts = partsOf(message);
    expect(SOURCES.some(source => parts.every(part => source.includes(part)))).toBe(true);
  });
});
