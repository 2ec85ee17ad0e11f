import { expect, it } from 'vitest';
import { Ejection } from './ejection.ts';

it('puts a node out at once when it cannot be reached, and twice as long each further time', () => {
  const ejection = new Ejection({ baseMs: 100, maxMs: 350 });
  const times: number[] = [];
  for (let now = 0; times.length < 4; now = ejection.until) {
    ejection.failed('unreachable', now, now);
    times.push(ejection.until - now);
    expect(ejection.state(now)).toBe('out');
    expect(ejection.state(ejection.until)).toBe('probing');
  }
  expect(times).toEqual([100, 200, 350, 350]);
});

it('takes three failures in a row, or two fast ones', () => {
  const slow = new Ejection();
  for (const kind of ['slow', 'slow'] as const) slow.failed(kind, 0, 0);
  expect(slow.state(0)).toBe('in');
  slow.succeeded(0);
  for (const kind of ['slow', 'slow', 'slow'] as const) slow.failed(kind, 0, 0);
  expect(slow.state(0)).toBe('out');
  const fast = new Ejection();
  for (const kind of ['fast', 'fast'] as const) fast.failed(kind, 0, 0);
  expect(fast.state(0)).toBe('out');
});

it('lets a node in by one success on probation, and puts it out by one failure', () => {
  const ejection = new Ejection({ baseMs: 100 });
  ejection.failed('unreachable', 0, 0);
  ejection.failed('slow', 100, 101);
  expect(ejection.state(102)).toBe('out');
  ejection.succeeded(301);
  expect(ejection.state(302)).toBe('in');
});

it('learns nothing from calls that began before the node went out', () => {
  const ejection = new Ejection({ baseMs: 100 });
  ejection.failed('unreachable', 50, 60);
  ejection.succeeded(40);
  expect(ejection.state(61)).toBe('out');
  ejection.failed('slow', 40, 170);
  expect(ejection.until).toBe(160);
});

it('forgets the times out after a row of successes', () => {
  const ejection = new Ejection({ baseMs: 100 });
  ejection.failed('unreachable', 0, 0);
  for (let call = 0; call < 5; call++) ejection.succeeded(200);
  ejection.failed('unreachable', 300, 300);
  expect(ejection.until).toBe(400);
});
