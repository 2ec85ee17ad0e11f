import { expect, it } from 'vitest';
import { UnderWay } from './under-way.ts';

it('holds what has been added and not taken out, whatever the order', () => {
  const items = Array.from({ length: 6 }, (_, name) => ({ name, place: -1 }));
  const [first, second, , fourth, , last] = items;
  if (!first || !second || !fourth || !last) throw new Error('there are six');
  const underWay = new UnderWay<(typeof items)[number]>();
  for (const item of items) underWay.add(item);
  const names = () =>
    underWay
      .all()
      .map(({ name }) => name)
      .sort();
  underWay.delete(second);
  underWay.delete(last);
  underWay.delete(second);
  expect(names()).toEqual([0, 2, 3, 4]);
  underWay.delete(fourth);
  underWay.delete(first);
  underWay.add(second);
  expect(names()).toEqual([1, 2, 4]);
  for (const item of items) underWay.delete(item);
  expect(underWay.all()).toEqual([]);
});
