import { type Counter, createNoopMeter, type Histogram, type Meter } from '@opentelemetry/api';
import { METRICS, type Metric } from './names.ts';

/** What calls are measured with. */
export type Instruments = Record<Exclude<Metric, 'cost'>, Histogram> & { cost: Counter };

/** @returns undefined where nobody measures, so that nothing is worked out for it */
export function instrumentsOf(meter: Meter): Instruments | undefined {
  if (meter === createNoopMeter()) return undefined;
  const histogram = (metric: Exclude<Metric, 'cost'>): Histogram => {
    const { name, ...options } = METRICS[metric];
    return meter.createHistogram(name, options);
  };
  const { name, ...options } = METRICS.cost;
  return {
    duration: histogram('duration'),
    timeToFirstChunk: histogram('timeToFirstChunk'),
    timePerChunk: histogram('timePerChunk'),
    tokens: histogram('tokens'),
    operation: histogram('operation'),
    cost: meter.createCounter(name, options),
  };
}
