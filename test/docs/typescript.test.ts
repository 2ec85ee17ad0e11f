import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPage } from '../../scripts/docs/markdown.mjs';
import type { ScriptedServer } from '../scripted-server.ts';
import { everyBackend } from './backend.ts';
import { allFences, isQuote, isTypeScript, modulesOf } from './modules.mjs';
import { failuresOf, whyNotRun } from './run.mjs';

const fences = allFences();
const modules = modulesOf(fences);
const run = modules.filter((module: { code: string }) => whyNotRun(module) === undefined);

describe('the TypeScript of all Markdown', { timeout: 240_000 }, () => {
  let backend: ScriptedServer;
  beforeAll(async () => {
    backend = await everyBackend();
  });
  afterAll(() => backend.close());

  it('runs, where a scripted backend is all it needs', async () => {
    expect(run.length).toBeGreaterThan(modules.length / 3);
    expect(await failuresOf(run, backend.url)).toEqual([]);
  });

  it('is the source itself, where it quotes one', () => {
    const quotes = fences.filter((fence: { info: string }) => isTypeScript(fence) && isQuote(fence));
    expect(quotes.length).toBeGreaterThan(5);
    for (const { file, line, info, code } of quotes) {
      expect(readPage(info).includes(code), `${file}:${line} quotes ${info} as it is`).toBe(true);
    }
  });

  it('is left unchecked, or is not run, only with a reason', () => {
    const reasons = fences.flatMap(({ file, line, marks }: { file: string; line: number; marks: object }) =>
      Object.entries(marks)
        .filter(([name, text]) => name.startsWith('no-') && !text)
        .map(([name]) => `${file}:${line}: <!-- ${name}: reason -->`),
    );
    expect(reasons).toEqual([]);
  });
});
