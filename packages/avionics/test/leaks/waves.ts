import { getEventListeners } from 'node:events';
import { expect } from 'vitest';
import { activeResources, memoryInUse } from '../../../../test/resources.ts';
import { LLMGateway, type LLMProvider, readSettings } from '../../src/index.ts';
import { booksIn, type Ending, endingOf, type Outcome, problemOf } from './outcome.ts';
import { AT_ONCE, type Books, billOf, enter, type Plan, type ProviderName, planOf, STREAMS } from './plan.ts';

export interface WaveHooks {
  /** A wave begins. */
  begins?(): void;
  /** All its streams have their first piece. */
  allBegun?(): Promise<void>;
  /** All have ended; resolves when the connections that idle are closed. */
  over?(): Promise<void>;
  /** Breaks a stream off whose consumer has all there is of it. */
  breakOff?(id: number): void;
}

/** What a wave took. */
interface Wave {
  /** Bytes a stream took when all were under way. */
  bytesAStream: number;
  /** Bytes in use behind the wave. */
  memory: number;
  timers: number;
}

/** Sends waves of streams through a gateway over two providers, and compares all that comes of them with their plans. */
export class Waves {
  readonly #gateway: LLMGateway;
  readonly #hooks: WaveHooks;
  readonly #reported = { in: 0, out: 0 };
  readonly #endings: Record<Ending, number> = {
    answer: 0,
    connection: 0,
    overloaded: 0,
    left: 0,
    aborted: 0,
  };
  #sent = 0;
  /** What all waves so far are to be billed. */
  readonly books: Books = { total: billOf([]), providers: {}, agents: {} };

  constructor(providers: Record<ProviderName, LLMProvider>, hooks: WaveHooks = {}) {
    this.#hooks = hooks;
    this.#gateway = new LLMGateway(readSettings({ LLM_PROVIDER: 'openai', OPENAI_API_KEY: 'none' }), {
      providers: { ...providers },
      fallbackProviders: ['anthropic'],
      breaker: { failures: Number.POSITIVE_INFINITY },
      resourceCallback: (tokensIn, tokensOut) => {
        this.#reported.in += tokensIn;
        this.#reported.out += tokensOut;
        return undefined;
      },
    });
  }

  /**
   * Sends one after the other, and expects them to leave nothing behind.
   * @param most bytes that a stream under way may take
   */
  async expectFlat(count: number, most: number): Promise<void> {
    const waves: Wave[] = [];
    for (let sent = 0; sent < count; sent++) waves.push(await this.#wave());
    const [first, last] = [waves[0], waves.at(-1)] as [Wave, Wave];
    expect(Math.max(...waves.map(({ bytesAStream }) => bytesAStream))).toBeLessThan(most);
    expect(last.memory).toBeLessThan(first.memory * 1.05);
    expect(last.timers).toBeLessThanOrEqual(first.timers);
  }

  async #wave(): Promise<Wave> {
    this.#hooks.begins?.();
    const before = memoryInUse();
    let bytesAStream = 0;
    const gate = new Gate(async () => {
      bytesAStream = Math.round((memoryInUse() - before) / AT_ONCE);
      await this.#hooks.allBegun?.();
    });
    const shared = new AbortController();
    const streams = Array.from({ length: STREAMS }, () =>
      this.#stream(planOf(this.#sent++), gate, shared.signal),
    );
    const problems = await Promise.all(streams);
    expect(problems.filter(problem => problem !== undefined)).toEqual([]);
    expect(gate.begun).toBe(AT_ONCE);
    expect(getEventListeners(shared.signal, 'abort')).toHaveLength(0);
    this.#compareStats();
    await this.#hooks.over?.();
    return { bytesAStream, memory: memoryInUse(), timers: activeResources('Timeout') };
  }

  /** @returns what is wrong */
  async #stream(plan: Plan, gate: Gate, shared: AbortSignal): Promise<string | undefined> {
    enter(this.books, plan);
    this.#endings[endingOf(plan)]++;
    const own = new AbortController();
    const signal = plan.fate === 'abort' ? own.signal : shared;
    const seen = await this.#read(plan, gate, signal, () => own.abort());
    if (seen.pieces === 0) gate.arrived();
    if (getEventListeners(own.signal, 'abort').length > 0) return `${plan.id} left a listener`;
    return problemOf(plan, seen);
  }

  async #read(plan: Plan, gate: Gate, signal: AbortSignal, abort: () => void): Promise<Outcome> {
    const { agent: agentName, midStream, fate, cut } = plan;
    const request = { prompt: JSON.stringify(plan), agentName, midStream, signal };
    const seen: Outcome = { text: '', pieces: 0, response: undefined, error: undefined };
    try {
      for await (const chunk of this.#gateway.completeStream(request)) {
        if (chunk.seam?.policy === 'restart') seen.text = '';
        seen.text += chunk.text;
        seen.response = chunk.response;
        if (chunk.text === '') continue;
        if (++seen.pieces === 1) await gate.pass();
        if (seen.pieces !== cut) continue;
        if (fate === 'reset') this.#hooks.breakOff?.(plan.id);
        if (fate === 'leave') break;
        // When the next piece is being waited for.
        if (fate === 'abort') setImmediate(abort);
      }
    } catch (thrown) {
      seen.error = thrown;
    }
    return seen;
  }

  /** All that has been counted, against the plans. */
  #compareStats(): void {
    const stats = this.#gateway.getStats();
    const { total } = this.books;
    const { answer, connection, overloaded, left, aborted } = this.#endings;
    expect(booksIn(stats)).toEqual(this.books);
    expect(stats.totalTokens).toBe(total.promptTokens + total.completionTokens);
    expect(this.#reported).toEqual({ in: total.promptTokens, out: total.completionTokens });
    expect(stats).toMatchObject({
      requests: this.#sent,
      succeeded: answer,
      failed: connection + overloaded,
      stopped: left + aborted,
      inFlight: 0,
      unpriced: 0,
    });
  }
}

/** Holds all streams at their first piece until every one has it, or has failed. */
class Gate {
  /** Streams that have their first piece. */
  begun = 0;
  #left = STREAMS;
  readonly #open: Promise<void>;
  #allArrived: () => void = () => {};

  constructor(allBegun: () => Promise<void>) {
    this.#open = new Promise<void>(resolve => {
      this.#allArrived = resolve;
    }).then(allBegun);
  }

  arrived(): void {
    if (--this.#left === 0) this.#allArrived();
  }

  pass(): Promise<void> {
    this.begun++;
    this.arrived();
    return this.#open;
  }
}
