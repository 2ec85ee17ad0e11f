import { describe, expect, it } from 'vitest';
import { allFences, modulesOf } from './modules.mjs';
import { typeErrorsOf } from './type-check.mjs';

// In a file of its own, so that it runs beside the one that runs the fences.
describe('the TypeScript of all Markdown', { timeout: 240_000 }, () => {
  it('has the types of the sources', () => {
    const modules = modulesOf(allFences());
    expect(modules.length).toBeGreaterThan(15);
    expect(typeErrorsOf(modules)).toEqual([]);
  });
});
