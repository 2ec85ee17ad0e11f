import type { AttemptRecord, Budget, Circuit, NodeCard, RequestRecord } from '@x/console/contract';
import type { Journal } from '../../src/admin/journal.ts';
import type { Load, Sampler } from '../../src/admin/sampler.ts';
import { HELLO, NODES, SLOTS } from './setup.ts';

const STEP_MS = 100;
/** Calls that begin in a second. */
const PER_SECOND = 6;
const DAY_MS = 86_400_000;

const FAILURES = ['timeout', 'rate_limit', 'overloaded', 'connection', 'context_length'] as const;
const AGENTS = ['chat', 'planner', 'summary', 'search'] as const;

interface Running {
  record: RequestRecord;
  endsAt: number;
}

/** Makes up calls, and what a gateway would tell of them. */
export class Traffic {
  readonly #journal: Journal;
  readonly #sampler: Sampler;
  readonly #random = randomFrom(7);
  readonly #running = new Set<Running>();
  readonly #down = new Set<string>();
  readonly #spent = { web: 5.4, ci: 41_000, batch: 0.5, all: 212 };
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
      if (Math.floor(at / 1000) !== Math.floor((at - STEP_MS) / 1000)) this.#sampler.tick(at, this.load());
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

  /** A call of the playground. */
  put(record: RequestRecord): void {
    this.#journal.put(record);
    if (record.state !== 'running') this.#sampler.ended(record);
  }

  load(): Load {
    const waiting = [...this.#running].filter(({ record }) => record.attempts.length === 0).length;
    return { inFlight: this.#running.size, waiting };
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
    const local: Circuit['state'] = this.#down.size === NODES.length ? 'open' : 'closed';
    return [
      { provider: 'local', type: 'llamaserver', state: local },
      { provider: 'openai', type: 'openai', state: 'closed' },
      { provider: 'anthropic', type: 'anthropic', state: 'half_open' },
    ];
  }

  budgets(): Budget[] {
    const now = Date.now();
    const [day, minute] = [Math.ceil(now / DAY_MS) * DAY_MS, Math.ceil(now / 60_000) * 60_000];
    const today = new Date(now);
    const month = Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + 1, 1);
    const { web, ci, batch, all } = this.#spent;
    const rate = this.#isOn ? ((now % 60_000) / 60_000) * 340 : 0;
    const key = (rule: string, subject: string): Pick<Budget, 'rule' | 'scope' | 'subject'> => ({
      ...{ rule, scope: 'key', subject },
    });
    return [
      {
        ...key('per day', 'web'),
        unit: 'usd',
        window: 'day',
        limit: 20,
        spent: web,
        reserved: 0.4,
        resetsAt: day,
      },
      {
        ...key('rate', 'web'),
        unit: 'requests',
        window: 'minute',
        limit: 600,
        spent: Math.round(rate),
        reserved: 0,
        resetsAt: minute,
      },
      {
        ...key('per day', 'ci'),
        unit: 'tokens',
        window: 'day',
        limit: 90_000,
        spent: ci,
        reserved: 900,
        resetsAt: day,
      },
      {
        ...key('per day', 'batch'),
        unit: 'usd',
        window: 'day',
        limit: 0.5,
        spent: batch,
        reserved: 0,
        resetsAt: day,
      },
      {
        rule: 'house',
        scope: 'all',
        unit: 'usd',
        window: 'month',
        limit: 900,
        spent: all,
        reserved: 1.2,
        resetsAt: month,
      },
    ];
  }

  #step(now: number): void {
    for (const running of this.#running) {
      if (running.endsAt <= now) this.#end(running, now);
    }
    if (this.#isOn && this.#random() < (PER_SECOND * STEP_MS) / 1000) this.#begin(now);
  }

  #begin(at: number): void {
    const model = this.#pick(HELLO.models.slice(0, 3));
    const [first, second] = model.targets;
    const up = NODES.filter(name => !this.#down.has(name));
    const fellBack =
      second !== undefined && (this.#random() < 0.06 || (first?.provider === 'local' && up.length === 0));
    const target = fellBack ? second : first;
    if (!first || !target) return;
    const node = target.provider === 'local' ? this.#pick(up) : undefined;
    const queuedMs = node !== undefined && this.#random() < 0.3 ? Math.round(this.#random() * 200) : 0;
    const startMs = fellBack ? 420 : 0;
    const failed: AttemptRecord[] = fellBack
      ? [{ provider: first.provider, startMs: 0, durationMs: 420, outcome: 'overloaded', status: 503 }]
      : [];
    const latencyMs = startMs + queuedMs + 400 + Math.round(this.#random() ** 2 * 2600);
    const record: RequestRecord = {
      ...{
        id: `scripted-${++this.#calls}`,
        at,
        key: this.#pick(HELLO.keys.slice(0, 3)),
        agent: this.#pick(AGENTS),
      },
      ...{ protocol: this.#random() < 0.7 ? 'openai-chat' : 'anthropic-messages', model: model.id },
      ...{ stream: true, state: 'running', provider: target.provider, answeredBy: target.model ?? model.id },
      ...(node === undefined ? {} : { node, queuedMs }),
      attempts: [
        ...failed,
        {
          provider: target.provider,
          ...(node ? { node, queuedMs } : {}),
          startMs,
          durationMs: 0,
          outcome: 'ok',
        },
      ],
    };
    this.#journal.put(record);
    this.#running.add({ record, endsAt: at + latencyMs });
  }

  #end(running: Running, now: number): void {
    this.#running.delete(running);
    const { record } = running;
    const record2 = this.#random() < 0.07 ? this.#failed(record, now) : this.#succeeded(record, now);
    this.put(record2);
  }

  #succeeded(record: RequestRecord, now: number): RequestRecord {
    const latencyMs = now - record.at;
    const attempts = record.attempts.map((attempt, index) =>
      index < record.attempts.length - 1
        ? attempt
        : { ...attempt, durationMs: latencyMs - attempt.startMs, status: 200 },
    );
    const promptTokens = 200 + Math.floor(this.#random() * 900);
    const completionTokens = 40 + Math.floor(latencyMs / 14);
    const costUsd =
      record.provider === 'local' ? 0 : (promptTokens * 0.003 + completionTokens * 0.015) / 1000;
    this.#spent.web += costUsd / 2;
    this.#spent.ci += record.key === 'ci' ? promptTokens / 100 : 0;
    this.#spent.all += costUsd;
    const cached = this.#random() < 0.08;
    return {
      ...record,
      ...{
        state: 'succeeded',
        status: 200,
        finishReason: 'stop',
        attempts,
        costUsd,
        priced: true,
        latencyMs,
      },
      usage: {
        promptTokens,
        completionTokens,
        cachedTokens: Math.floor(promptTokens * 0.6),
        source: 'reported',
      },
      firstTokenMs: (attempts.at(-1)?.startMs ?? 0) + (record.queuedMs ?? 0) + 90 + Math.floor(latencyMs / 9),
      ...(cached ? { cache: 'hit', attempts: [], latencyMs: 2, firstTokenMs: 1, costUsd: 0 } : {}),
      content: {
        prompt: 'What does affinity mean here?',
        answer: 'That a call goes to the node which holds its prompt.',
      },
    };
  }

  #failed(record: RequestRecord, now: number): RequestRecord {
    const category = this.#pick(FAILURES);
    const latencyMs = now - record.at;
    const message = `${record.provider} ended the call with ${category}`;
    const attempts = record.attempts.map((attempt, index) =>
      index < record.attempts.length - 1
        ? attempt
        : { ...attempt, durationMs: latencyMs - attempt.startMs, outcome: category, message },
    );
    return {
      ...record,
      state: 'failed',
      status: 502,
      error: { category, message },
      attempts,
      latencyMs,
      costUsd: 0,
    };
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error('there is nothing to choose from');
    return item;
  }
}

/** The same numbers from 0 to 1 each time (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
