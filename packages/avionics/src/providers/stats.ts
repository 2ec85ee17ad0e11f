import type { AirframeError, DoneEvent, ErrorCategory, Usage } from '@x/airframe';
import type { CostMetrics } from '../cost/calculator.ts';

/** What a provider has done since it was made. */
export interface ProviderStats {
  provider: string;
  requests: number;
  /** Failed calls; those the caller ended are in `aborted`. */
  errors: number;
  aborted: number;
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  /** Those of `totalTokens` that no backend has reported, counted or worked out here. */
  estimatedTokens: number;
  costUsd: number;
  /** What answers behind the provider: adapter, endpoint, retries. Never keys or headers. */
  adapter?: Record<string, unknown>;
}

/** Counts the calls of one provider. */
export class ProviderRecorder {
  #requests = 0;
  #errors = 0;
  #aborted = 0;
  #promptTokens = 0;
  #completionTokens = 0;
  #estimatedTokens = 0;
  #costUsd = 0;

  started(): void {
    this.#requests++;
  }

  ended(done: Pick<DoneEvent, 'usage'>, error: AirframeError | undefined, cost: CostMetrics): void {
    if (error) this.failed(error.category);
    this.#book(done.usage, cost);
  }

  /** The consumer closed the stream before it told its usage. */
  left(error: AirframeError | undefined, usage: Usage, cost: CostMetrics): void {
    this.failed(error?.category ?? 'aborted');
    this.#book(usage, cost);
  }

  /** A call without usage to book. */
  failed(category: ErrorCategory): void {
    if (category === 'aborted') this.#aborted++;
    else this.#errors++;
  }

  #book({ promptTokens, completionTokens, totalTokens, source }: Usage, { costUsd }: CostMetrics): void {
    this.#promptTokens += promptTokens;
    this.#completionTokens += completionTokens;
    if (source === 'estimated') this.#estimatedTokens += totalTokens;
    this.#costUsd += costUsd;
  }

  snapshot(provider: string): ProviderStats {
    return {
      provider,
      requests: this.#requests,
      errors: this.#errors,
      aborted: this.#aborted,
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
      totalTokens: this.#promptTokens + this.#completionTokens,
      estimatedTokens: this.#estimatedTokens,
      costUsd: this.#costUsd,
    };
  }
}
