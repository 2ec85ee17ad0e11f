import type { AirframeError, AssistantMessage, Attempt, DoneEvent, Usage } from '@x/airframe';
import { CostSum } from '../cost/money.ts';
import { defined } from '../providers/options.ts';
import type { Failure, Opening } from '../routing/fallback.ts';
import { SILENT_ATTEMPT } from '../telemetry/silent.ts';
import { isStopped, type Meter } from './meter.ts';
import type { BilledTokens, ProviderAttempt } from './response.ts';
import type { StatsBook } from './stats.ts';

const NONE: readonly Usage[] = [];

/** Of a provider that was never asked. */
const NO_USAGE = { promptTokens: 0, completionTokens: 0 };

/** What one call has cost so far: the parts of all providers that had a share in it. */
export class CallLedger {
  readonly #stats: StatsBook;
  readonly #meter: Meter;
  readonly #attempts: ProviderAttempt[] = [];
  #promptTokens = 0;
  #completionTokens = 0;
  readonly #cost = new CostSum();
  #priced = true;

  constructor(stats: StatsBook, meter: Meter) {
    this.#stats = stats;
    this.#meter = meter;
  }

  /** All tries, in order, numbered over the whole call. */
  get attempts(): readonly ProviderAttempt[] {
    return this.#attempts;
  }

  /** Tokens of the whole call, failed tries included. */
  get billed(): BilledTokens {
    return {
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
      totalTokens: this.#promptTokens + this.#completionTokens,
    };
  }

  get costUsd(): number {
    return this.#cost.usd;
  }

  /** false when a part has no known price. */
  get priced(): boolean {
    return this.#priced;
  }

  /**
   * Books a provider's part, from the `done` of its stream.
   * @param message the answer, where there is one
   */
  book(
    opening: Opening,
    done: DoneEvent | undefined,
    error: AirframeError | undefined,
    message?: AssistantMessage,
  ): void {
    const { name, provider, model, telemetry } = opening;
    // A provider that breaks the stream contract has still put out what came of it.
    const usage = done?.usage ?? { promptTokens: 0, completionTokens: this.#meter.counted };
    let { promptTokens, completionTokens } = usage;
    let costUsd = 0;
    let priced = true;
    if (done) {
      const cost = provider.costOf(model, done);
      costUsd = cost.costUsd;
      priced = cost.priced || isNothing(done.usage);
      for (const part of retriedUsages(done)) {
        const dead = provider.costOf(model, { ...defined({ model: done.model }), usage: part });
        promptTokens += part.promptTokens;
        completionTokens += part.completionTokens;
        costUsd += dead.costUsd;
        priced &&= dead.priced || isNothing(part);
      }
    }
    this.#promptTokens += promptTokens;
    this.#completionTokens += completionTokens;
    this.#cost.add(costUsd);
    this.#priced &&= priced;
    this.#log(name, model, done?.attempts ?? []);
    const tokens = { promptTokens, completionTokens };
    this.#stats.provider({
      provider: name,
      usage: tokens,
      costUsd,
      priced,
      error: isStopped(error) ? undefined : error?.category,
    });
    if (telemetry !== SILENT_ATTEMPT) {
      const ending = done ? { ...done, usage: { ...done.usage, ...tokens } } : {};
      telemetry.ended({ ...ending, error, cost: { costUsd, priced }, message });
    }
    this.#meter.settle(promptTokens, completionTokens);
  }

  /** Books a provider that did not answer. */
  bookFailure({ name, error, opening, done }: Failure): void {
    if (opening) {
      this.book(opening, done, error);
      return;
    }
    const { category, message } = error;
    this.#stats.provider({ provider: name, usage: NO_USAGE, costUsd: 0, priced: true, error: category });
    const attempt = {
      number: 1,
      endpoint: name,
      startedAt: Date.now(),
      durationMs: 0,
      outcome: category,
      message,
    };
    this.#log(name, undefined, [attempt]);
  }

  #log(provider: string, model: string | undefined, attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      this.#attempts.push(loggedOf(attempt, this.#attempts.length + 1, provider, model));
    }
  }
}

/** Made for every call: nothing spread. */
function loggedOf(
  { endpoint, startedAt, durationMs, outcome, status, requestId, message, waitedMs, usage }: Attempt,
  number: number,
  provider: string,
  model: string | undefined,
): ProviderAttempt {
  const logged: ProviderAttempt = { number, endpoint, startedAt, durationMs, outcome, provider };
  if (status !== undefined) logged.status = status;
  if (requestId !== undefined) logged.requestId = requestId;
  if (message !== undefined) logged.message = message;
  if (waitedMs !== undefined) logged.waitedMs = waitedMs;
  if (usage !== undefined) logged.usage = usage;
  if (model !== undefined) logged.model = model;
  return logged;
}

/** What costs nothing at any price, known or not: a try that was refused, say. */
function isNothing({ promptTokens, completionTokens }: Usage): boolean {
  return promptTokens === 0 && completionTokens === 0;
}

/** What the tries before the last one used up: they are billed as well. */
function retriedUsages({ attempts }: DoneEvent): readonly Usage[] {
  if (attempts.length < 2) return NONE;
  return attempts.slice(0, -1).flatMap(({ usage }) => (usage ? [usage] : []));
}
