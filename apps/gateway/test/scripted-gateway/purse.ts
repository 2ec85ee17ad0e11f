import type { Budget, RequestRecord } from '@x/console/contract';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Budgets in all states: one that lasts, one that does not, one that is used up, a rate, one of the house. */
export class Purse {
  #web = 5.4;
  #ciTokens = 41_000;
  #house = 212;
  /** Of the key web: when its calls of this minute ended. */
  readonly #ended: number[] = [];

  spend({ key, costUsd = 0, usage, at, latencyMs = 0 }: RequestRecord): void {
    this.#house += costUsd;
    if (key === 'ci') this.#ciTokens += (usage?.promptTokens ?? 0) / 100;
    if (key !== 'web') return;
    this.#web += costUsd;
    this.#ended.push(at + latencyMs);
  }

  budgets(now: number): Budget[] {
    const day = Math.ceil(now / DAY_MS) * DAY_MS;
    const minute = Math.ceil(now / MINUTE_MS) * MINUTE_MS;
    const date = new Date(now);
    const month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    const inMinute = this.#ended.filter(at => at > minute - MINUTE_MS).length;
    const perDay = { rule: 'per day', scope: 'key', window: 'day', resetsAt: day } as const;
    return [
      { ...perDay, subject: 'web', unit: 'usd', limit: 20, spent: this.#web, reserved: 0.4 },
      { ...perDay, subject: 'ci', unit: 'tokens', limit: 90_000, spent: this.#ciTokens, reserved: 900 },
      { ...perDay, subject: 'batch', unit: 'usd', limit: 0.5, spent: 0.5, reserved: 0 },
      {
        ...{ rule: 'rate', scope: 'key', subject: 'web', unit: 'requests', window: 'minute' },
        ...{ limit: 300, spent: inMinute, reserved: 0, resetsAt: minute },
      },
      {
        ...{ rule: 'house', scope: 'all', unit: 'usd', window: 'month' },
        ...{ limit: 900, spent: this.#house, reserved: 1.2, resetsAt: month },
      },
    ];
  }
}
