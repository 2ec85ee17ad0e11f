import { expect, it } from 'vitest';
import { FakeEngine } from '../../test/fake-engine.ts';
import { nodeLlamaEngine } from '../node-llama-engine.ts';
import { startOptions } from './start-options.ts';

it('tells values from functions, which are called by name', () => {
  const options = { onLog: () => {}, idleMs: 5, nested: { list: [1, null] }, absent: undefined };
  expect(startOptions(options)).toEqual({
    values: { idleMs: 5, nested: { list: [1, null] }, absent: undefined },
    callbacks: ['onLog'],
  });
});

it.each([
  ['with methods', nodeLlamaEngine()],
  ['of a class', new FakeEngine()],
])('refuses an object %s by name', (_what, engine) => {
  expect(() => startOptions({ engine })).toThrow(/option engine is an object of this process/);
});
