import type { Budget, Circuit, NodeCard, RequestRecord } from '@x/console/contract';
import type { Journal } from '../../src/admin/journal.ts';
import type { Load, Sampler } from '../../src/admin/sampler.ts';
import { begunCall, endedCall, lengthOf } from './call.ts';
import { Chance } from './chance.ts';
import { Purse } from './purse.ts';
import { NODES, SLOTS } from './setup.ts';

const STEP_MS = 100;
/** Calls that begin in a second. */
const PER_SECOND = 6;

interface Running {
  record: RequestRecord;
  endsAt: number;
}

/** Makes up calls, and what a gateway would tell of them. */
export class Traffic {
  readonly #journal: Journal;
  readonly #sampler: Sampler;
  readonly #chance = new Chance(7);
  readonly #purse = new Purse();
  readonly #running = new Set<Running>();
  readonly #down = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #calls = 0;
  #isOn = false;

  constructor(journal: Journal, sampler: Sampler) {
    this.#journal = journal;
    this.#sampler = sampler;
    this.#timer = setInterval(() => this.#step(Date.now()), STEP_MS).unref();
  }

  /** As if it had gone on for so many seconds. */
  past(seconds: number): void {
    const now = Date.now();
    this.#isOn = true;
    for (let at = now - seconds * 1000; at < now; at += STEP_MS) {
      this.#step(at);
      if (Math.floor(at / 1000) !== Math.floor((at - STEP_MS) / 1000)) this.#sampler.tick(at, this.load(at));
    }
    this.#isOn = false;
  }

  on(): void {
    this.#isOn = true;
  }

  off(): void {
    this.#isOn = false;
  }

  down(node: string): void {
    this.#down.add(node);
  }

  up(node: string): void {
    this.#down.delete(node);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A call has changed. */
  put(record: RequestRecord): void {
    this.#journal.put(record);
    if (record.state === 'running') return;
    this.#sampler.ended(record);
    this.#purse.spend(record);
  }

  load(now: number = Date.now()): Load {
    const waiting = [...this.#running].filter(({ record }) => now - record.at < (record.queuedMs ?? 0));
    return { inFlight: this.#running.size, waiting: waiting.length };
  }

  nodes(): NodeCard[] {
    return NODES.map((name, index) => {
      const isDown = this.#down.has(name);
      const busy = [...this.#running].filter(({ record }) => record.node === name).length;
      return {
        ...{ provider: 'local', name, slots: SLOTS, busySlots: Math.min(SLOTS, busy), inFlight: busy },
        state: isDown ? 'out' : 'in',
        ...{ heldBlocks: 180 + index * 64, affinity: 0.55 + index * 0.12 },
        ...{ errorRate: isDown ? 0.64 : 0.004 * index, firstOutputMs: 140 + 30 * index },
        latencyMs: 900 + 120 * index,
      };
    });
  }

  circuits(): Circuit[] {
    return [
      { provider: 'local', type: 'llamaserver', state: this.#down.size === NODES.length ? 'open' : 'closed' },
      { provider: 'openai', type: 'openai', state: 'closed' },
      { provider: 'anthropic', type: 'anthropic', state: 'half_open' },
    ];
  }

  budgets(): Budget[] {
    return this.#purse.budgets(Date.now());
  }

  #step(now: number): void {
    for (const running of this.#running) {
      if (running.endsAt > now) continue;
      this.#running.delete(running);
      this.put(endedCall(running.record, now, this.#chance));
    }
    if (!this.#isOn || this.#chance.next() >= (PER_SECOND * STEP_MS) / 1000) return;
    const up = NODES.filter(name => !this.#down.has(name));
    const record = begunCall(`scripted-${++this.#calls}`, now, up, this.#chance);
    this.put(record);
    this.#running.add({ record, endsAt: now + lengthOf(record, this.#chance) });
  }
}
