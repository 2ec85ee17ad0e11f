import {
  type MeterProvider,
  metrics,
  ProxyTracerProvider,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type { RecordingOptions } from './attempt.ts';
import { type Instruments, instrumentsOf } from './instruments.ts';
import { type OperationInfo, type OperationTelemetry, RecordedOperation } from './operation.ts';
import { SILENT_OPERATION } from './silent.ts';

/** Where spans and metrics go, and what they may hold. */
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
  /**
   * false: `time_per_output_chunk` is not measured. Default true. With an SDK that measures, each piece of a stream costs
   * some 2 µs of CPU for it; nothing without one.
   */
  timePerChunk?: boolean;
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
  readonly #recording: RecordingOptions;
  #measured: { provider: MeterProvider; instruments: Instruments | undefined } | undefined;

  constructor(options: TelemetryOptions = {}) {
    const { captureContent = false, sendTraceContext = true, timePerChunk = true } = options;
    const { clock = () => performance.now() } = options;
    this.#options = options;
    this.#recording = { captureContent, sendTraceContext, timePerChunk, clock };
  }

  /** true: nobody would see anything of a call that begins now. */
  get isSilent(): boolean {
    const { tracerProvider = trace.getTracerProvider() } = this.#options;
    return !this.#instruments() && isSilent(tracerProvider);
  }

  /** A call begins. Its span is a child of the one that is active now. */
  operation(info: OperationInfo): OperationTelemetry {
    const { tracerProvider = trace.getTracerProvider() } = this.#options;
    const instruments = this.#instruments();
    if (!instruments && isSilent(tracerProvider)) return SILENT_OPERATION;
    const tracer = tracerProvider.getTracer(SCOPE, undefined, SCHEMA);
    return new RecordedOperation({ tracer, instruments, ...this.#recording }, info);
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

const NO_SDK = new ProxyTracerProvider().getDelegate();

/** True as long as no SDK stands behind the API. */
function isSilent(provider: TracerProvider): boolean {
  return provider instanceof ProxyTracerProvider && provider.getDelegate() === NO_SDK;
}
