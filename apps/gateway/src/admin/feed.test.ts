import type { Budget, ConsoleEvents } from '@x/console/contract';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Feed, type FeedSources } from './feed.ts';
import { Journal } from './journal.ts';
import { Sampler } from './sampler.ts';
import { record } from './test-records.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const BUDGET: Budget = {
  ...{ rule: 'daily', scope: 'all', unit: 'usd', window: 'day' },
  ...{ limit: 10, spent: 1, reserved: 0, resetsAt: 0 },
};

function gateway(changes: Partial<FeedSources> = {}) {
  const journal = new Journal();
  const sampler = new Sampler();
  const hello = {
    ...{ version: '1', replica: 'r', startedAt: 0, capture: false },
    ...{ models: [], providers: [], keys: [] },
  };
  const sources = {
    hello: () => hello,
    nodes: () => [],
    circuits: () => [],
    budgets: async () => [BUDGET],
    inFlight: () => ({ inFlight: 1, waiting: 0 }),
    ...changes,
  };
  return { journal, sampler, hello, feed: new Feed(sources, journal, sampler) };
}

/** A console that says what has come since it was last asked. */
function listener(feed: Feed) {
  let text = '';
  const wire = { hasRoom: true, ended: false };
  const subscriber = feed.subscribe({
    write: frames => {
      text += frames;
      return wire.hasRoom;
    },
    end: () => {
      wire.ended = true;
    },
  });
  const events = () => {
    const frames = [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)];
    text = '';
    return frames.map(([, name, data = '']) => ({ name, data: JSON.parse(data) }));
  };
  return { wire, subscriber, events, names: () => events().map(({ name }) => name) };
}

const requests = (events: { name: string | undefined; data: unknown }[]) =>
  events
    .filter(({ name }) => name === 'request')
    .map(({ data }) => data as ConsoleEvents['request'])
    .map(({ id, state }) => `${id} ${state}`);

it('tells a new subscriber all there is, beginning with who it is', async () => {
  const { feed, journal } = gateway();
  await vi.advanceTimersByTimeAsync(3000);
  journal.put(record({ id: 'a' }));
  const { events } = listener(feed);
  const first = events();
  expect(first.map(({ name }) => name)).toEqual([
    ...['hello', 'nodes', 'circuits', 'budgets', 'history', 'requests'],
  ]);
  expect(first.at(-2)?.data).toHaveLength(3);
  expect(first.at(-1)?.data).toMatchObject([{ id: 'a' }]);
});

it('sends a sample each second, and else only what has changed', async () => {
  const nodes = vi.fn(() => []);
  const { feed, hello } = gateway({ nodes });
  const { names } = listener(feed);
  await vi.advanceTimersByTimeAsync(1000);
  names();
  await vi.advanceTimersByTimeAsync(1000);
  expect(names()).toEqual(['sample']);
  hello.capture = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(names()).toEqual(['hello', 'sample']);
});

it('counts, but asks for nothing else, while nobody watches', async () => {
  const [nodes, budgets] = [vi.fn(() => []), vi.fn(async () => [])];
  const { feed, sampler } = gateway({ nodes, budgets });
  await vi.advanceTimersByTimeAsync(5000);
  expect(sampler.history).toHaveLength(5);
  const { subscriber } = listener(feed);
  await vi.advanceTimersByTimeAsync(1000);
  if (subscriber) feed.unsubscribe(subscriber);
  await vi.advanceTimersByTimeAsync(5000);
  expect(nodes).toHaveBeenCalledTimes(2);
  expect(budgets).toHaveBeenCalledTimes(1);
});

it('asks for budgets every two seconds, never twice at once, and outlives their failure', async () => {
  let answer = (_: Budget[]) => {};
  const budgets = vi
    .fn<() => Promise<Budget[]>>()
    .mockResolvedValueOnce([BUDGET])
    .mockRejectedValueOnce(new Error('Redis is away'))
    .mockImplementationOnce(() => new Promise(resolve => (answer = resolve)));
  const { feed } = gateway({ budgets });
  const { names } = listener(feed);
  await vi.advanceTimersByTimeAsync(0);
  expect(names()).toContain('budgets');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(budgets).toHaveBeenCalledTimes(3);
  expect(names()).not.toContain('budgets');
  answer([]);
  await vi.advanceTimersByTimeAsync(0);
  expect(names()).toContain('budgets');
});

it('sends calls together, each as it is last known, without what was said in them', async () => {
  const { feed, journal } = gateway();
  const { events } = listener(feed);
  events();
  journal.put(record({ id: 'a', state: 'running' }));
  journal.put(record({ id: 'b', state: 'running' }));
  journal.put(record({ id: 'a', content: { prompt: 'secret', answer: 'secret' } }));
  await vi.advanceTimersByTimeAsync(250);
  const sent = events();
  expect(requests(sent)).toEqual(['a succeeded', 'b running']);
  expect(JSON.stringify(sent)).not.toContain('secret');
  expect(feed.request('a')?.content?.answer).toBe('secret');
});

it('leaves calls out under heavy load, but never the end of one that it has shown', async () => {
  const { feed, journal } = gateway();
  const { events } = listener(feed);
  journal.put(record({ id: 'long', state: 'running' }));
  await vi.advanceTimersByTimeAsync(250);
  events();
  journal.put(record({ id: 'long' }));
  for (let call = 0; call < 200; call++) journal.put(record({ id: `c${call}` }));
  await vi.advanceTimersByTimeAsync(250);
  const sent = events();
  const shown = requests(sent);
  expect(shown).toHaveLength(51);
  expect([shown[0], shown.at(-1)]).toEqual(['long succeeded', 'c199 succeeded']);
  expect(sent.at(-1)).toEqual({ name: 'unlisted', data: 150 });
});

it('leaves a slow subscriber alone until it has read, then tells it all anew', async () => {
  const { feed } = gateway();
  const { wire, subscriber, names } = listener(feed);
  wire.hasRoom = false;
  await vi.advanceTimersByTimeAsync(1000);
  names();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(names()).toEqual([]);
  wire.hasRoom = true;
  subscriber?.drained();
  await vi.advanceTimersByTimeAsync(1000);
  expect(names()).toEqual(['hello', 'nodes', 'circuits', 'budgets', 'history', 'requests']);
  await vi.advanceTimersByTimeAsync(1000);
  expect(names()).toEqual(['sample']);
});

it('ends all that listen when it is closed, and takes nobody in', () => {
  const { feed } = gateway();
  const { wire } = listener(feed);
  feed.close();
  expect(wire.ended).toBe(true);
  expect(listener(feed).subscriber).toBeUndefined();
  expect(vi.getTimerCount()).toBe(0);
});
