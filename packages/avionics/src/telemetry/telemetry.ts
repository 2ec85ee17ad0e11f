import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api';
import { type Instruments, instrumentsOf } from './instruments.ts';
import { type OperationInfo, OperationTelemetry } from './operation.ts';

export interface TelemetryOptions {
  /** Default: the global one. */
  tracerProvider?: TracerProvider;
  /** Default: the global one. */
  meterProvider?: MeterProvider;
  /** true: prompts and answers stand on the spans of attempts. Default false. */
  captureContent?: boolean;
  /**
   * false: backends get no `traceparent`. Default true. To be turned off beside `@opentelemetry/instrumentation-undici`,
   * which adds one of its own without looking: a backend takes two for none.
   */
  sendTraceContext?: boolean;
  /** Milliseconds, never going back. Default: `performance.now`. */
  clock?: () => number;
}

const SCOPE = '@x/avionics';
const SCHEMA = { schemaUrl: 'https://opentelemetry.io/schemas/1.41.0' };

/**
 * Spans and metrics of the GenAI conventions, over `@opentelemetry/api` alone: without an SDK nothing comes of it and
 * next to nothing is done for it. An SDK may be registered at any time; calls from then on are seen.
 */
export class Telemetry {
  readonly #options: TelemetryOptions;
  readonly #clock: () => number;
  #measured: { provider: MeterProvider; instruments: Instruments | undefined } | undefined;

  constructor(options: TelemetryOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** A call begins. Its span is a child of the one that is active now. */
  operation(info: OperationInfo): OperationTelemetry {
    const { tracerProvider = trace, captureContent = false, sendTraceContext = true } = this.#options;
    return new OperationTelemetry(
      {
        tracer: tracerProvider.getTracer(SCOPE, undefined, SCHEMA),
        instruments: this.#instruments(),
        clock: this.#clock,
        captureContent,
        sendTraceContext,
      },
      info,
    );
  }

  #instruments(): Instruments | undefined {
    const provider = this.#options.meterProvider ?? metrics.getMeterProvider();
    if (this.#measured?.provider !== provider) {
      const instruments = instrumentsOf(provider.getMeter(SCOPE, undefined, SCHEMA));
      this.#measured = { provider, instruments };
    }
    return this.#measured?.instruments;
  }
}
