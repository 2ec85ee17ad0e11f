import { afterEach, expect, it } from 'vitest';
import { resolveTimeouts } from '../endpoint.ts';
import { Deadlines } from './deadline.ts';
import { sleep } from './sleep.ts';

let deadlines: Deadlines;
afterEach(() => deadlines.dispose());

function within(idleMs: number): Deadlines {
  return new Deadlines(resolveTimeouts({ idleMs, totalMs: 0 }, undefined));
}

/** Timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
}

it('keeps the process alive while it waits for the backend, not while it waits for the consumer', () => {
  const before = timers();
  deadlines = within(60_000);
  for (let piece = 0; piece < 2; piece++) {
    deadlines.enter('idle');
    expect(timers()).toBe(before + 1);
    deadlines.pause();
    expect(timers()).toBe(before);
  }
});

it('never expires while paused, and waits anew after a pause of any length', async () => {
  const before = timers();
  deadlines = within(20);
  deadlines.enter('idle');
  deadlines.pause();
  await sleep(60);
  expect(deadlines.signal.aborted).toBe(false);
  deadlines.enter('idle');
  expect(timers()).toBe(before + 1);
  expect(deadlines.signal.aborted).toBe(false);
  await new Promise(resolve => deadlines.signal.addEventListener('abort', resolve));
  expect(deadlines.signal.reason).toMatchObject({ code: 'idle_timeout' });
});
