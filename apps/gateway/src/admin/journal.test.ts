import { expect, it } from 'vitest';
import { Journal } from './journal.ts';
import { record } from './test-records.ts';

it('keeps the newest calls, and one record of each', () => {
  const journal = new Journal(2);
  journal.put(record({ id: 'a', state: 'running' }));
  journal.put(record({ id: 'b', state: 'running' }));
  journal.put(record({ id: 'a', state: 'succeeded' }));
  expect(journal.newest().map(({ id, state }) => `${id} ${state}`)).toEqual(['a succeeded', 'b running']);
  journal.put(record({ id: 'c' }));
  expect(journal.newest().map(({ id }) => id)).toEqual(['b', 'c']);
  expect(journal.newest(1).map(({ id }) => id)).toEqual(['c']);
  expect(journal.get('a')).toBeUndefined();
});

it('tells of each record until it is not listened to', () => {
  const journal = new Journal();
  const heard: string[] = [];
  const end = journal.subscribe(({ id }) => heard.push(id));
  journal.put(record({ id: 'a' }));
  end();
  journal.put(record({ id: 'b' }));
  expect(heard).toEqual(['a']);
});

it('keeps no more than the beginning of a long text', () => {
  const journal = new Journal();
  journal.put(record({ id: 'a', content: { prompt: 'x'.repeat(100_000), answer: 'short' } }));
  const { prompt, answer } = journal.get('a')?.content ?? {};
  expect(prompt).toHaveLength(32_002);
  expect(answer).toBe('short');
});
