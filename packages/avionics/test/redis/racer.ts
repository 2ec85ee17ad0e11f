// A process of the budget race; run by race.test.ts. Takes its plan as an argument and reports over IPC.
import { setTimeout as sleep } from 'node:timers/promises';
import { type LimitedCall, Limiter } from '../../src/limits/limiter.ts';
import type { LimitRule } from '../../src/limits/rules.ts';
import { silentLogger } from '../../src/logger.ts';
import { connectRedisStore } from '../../src/redis/index.ts';

export interface Plan {
  url: string;
  rules: LimitRule[];
  whenStoreFails: 'open' | 'closed';
  reservationMs?: number;
  calls: number;
  /** Milliseconds between the beginnings of two calls; 0: all at once. */
  everyMs: number;
  /** Milliseconds that a call takes. */
  callMs: number;
  /** What each call is expected to use, and what it does use. */
  estimate: number;
  actual: number;
}

export interface Report {
  /** Calls that were made. */
  made: number;
  /** Calls that were not, by the category of the error. */
  refused: Record<string, number>;
  /** Longest time that any reservation or settlement took, in milliseconds. */
  slowestMs: number;
  log: string[];
}

const plan = JSON.parse(process.argv[2] ?? '') as Plan;
const report: Report = { made: 0, refused: {}, slowestMs: 0, log: [] };
const note = (message: string) => void report.log.push(message);
const store = await connectRedisStore(plan.url, { logger: { ...silentLogger, warn: note, info: note } });
const limiter = new Limiter({ ...plan, store });

async function timed<Result>(work: Promise<Result>): Promise<Result> {
  const started = performance.now();
  try {
    return await work;
  } finally {
    report.slowestMs = Math.max(report.slowestMs, performance.now() - started);
  }
}

async function call(index: number): Promise<void> {
  await sleep(index * plan.everyMs);
  const request: LimitedCall = { agent: 'racer', tokens: 0, nanoUsd: plan.estimate };
  try {
    const reservation = await timed(limiter.reserve(request));
    report.made++;
    await sleep(plan.callMs);
    await timed(reservation.settle({ tokens: 0, nanoUsd: plan.actual }));
  } catch (error) {
    const { category } = error as { category: string };
    report.refused[category] = (report.refused[category] ?? 0) + 1;
  }
}

process.on('message', async message => {
  if (message === 'go') {
    await Promise.all(Array.from({ length: plan.calls }, (_, index) => call(index)));
    process.send?.('done');
  } else if (message === 'report') {
    process.send?.(report);
  } else if (message === 'end') {
    await store.close();
    process.disconnect();
  }
});
process.send?.('ready');
