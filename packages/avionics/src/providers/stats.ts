import type { AirframeError, DoneEvent, ErrorCategory } from '@x/airframe';
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
  #costUsd = 0;

  started(): void {
    this.#requests++;
  }

  ended(done: DoneEvent, error: AirframeError | undefined, cost: CostMetrics): void {
    if (error) this.#failed(error.category);
    this.#promptTokens += done.usage.promptTokens;
    this.#completionTokens += done.usage.completionTokens;
    this.#costUsd += cost.costUsd;
  }

  /** The consumer closed the stream and never saw its usage. */
  left(error: AirframeError | undefined): void {
    this.#failed(error?.category ?? 'aborted');
  }

  #failed(category: ErrorCategory): void {
    if (category === 'aborted') this.#aborted++;
    else this.#errors++;
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
      costUsd: this.#costUsd,
    };
  }
}
