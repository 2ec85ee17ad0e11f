import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** Code blocks that name the file they quote: the path behind the language. */
const quotes = [...read('CONTRIBUTING.md').matchAll(/^```ts (\S+)\n(.*?)^```$/gms)];

describe('CONTRIBUTING.md', () => {
  it('quotes the adapter that it explains', () => {
    expect(quotes.length).toBeGreaterThan(0);
  });

  it.each(quotes.map(([, path = '', code = '']) => ({ path, code })))('quotes $path as it is', quote => {
    expect(read(quote.path)).toContain(quote.code);
  });
});
