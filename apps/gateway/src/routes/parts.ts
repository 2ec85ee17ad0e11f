import type { Logger as Pino } from 'pino';
import type { Exchange } from '../calls/exchange.ts';
import type { InFlight } from '../calls/gauge.ts';
import type { RecordSink } from '../calls/recorder.ts';
import type { Placed, UnderWay } from '../calls/under-way.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { LiveRuntime } from '../runtime/live.ts';

/** A call as a shutdown sees it. */
export type Stoppable = Pick<Exchange, 'stop'> & Placed;

/** What the routes of a server share. */
export interface ServerParts {
  live: LiveRuntime;
  inFlight: InFlight;
  /** Told of every call. */
  records: RecordSink;
  metrics: Metrics;
  log: Pino;
  /** Calls under way, for a shutdown. */
  exchanges: UnderWay<Stoppable>;
  /** true: no new calls are taken. */
  draining(): boolean;
}
