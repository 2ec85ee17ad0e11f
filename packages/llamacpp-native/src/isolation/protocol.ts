import type { AirframeErrorOptions, Deadlines, EndpointSpec, ErrorCategory } from '@x/airframe';
import type { Write } from './reply-writes.ts';

/** Events of a call that the child may be ahead of who reads them. */
export const WINDOW = 16;

/** What an adapter's definition can be asked for. */
export type Method = 'infer' | 'health' | 'embed' | 'countTokens' | 'listModels';

/** What a call waits for; see `Deadlines`. */
export type Phase = Parameters<Deadlines['enter']>[0];

/** The adapter's options as far as they can travel: values as they are, of functions the names. */
export interface StartOptions {
  values: Record<string, unknown>;
  callbacks: string[];
}

/** From the parent. Both sides are the same build of this package, so there is no version to agree on. */
export type Order =
  | ({ type: 'start' } & StartOptions)
  | { type: 'call'; id: number; method: Method; endpoint: EndpointSpec; request?: unknown }
  /** So many events more have been read. */
  | { type: 'credit'; id: number; events: number }
  | { type: 'abort'; id: number }
  /** Ends the calls under way, frees the models, and then the process. */
  | { type: 'close' };

/** What a call of `infer` has brought since the last report. */
export interface Progress {
  type: 'progress';
  id: number;
  writes: Write[];
  /** Events that they are; what the credit is counted in. */
  events: number;
  /** Absent: the same as before. */
  phase?: Phase;
}

/** From the child, several in one message. An answer or a failure is the last of its call. */
export type Report =
  | Progress
  | { type: 'answer'; id: number; value?: unknown }
  | { type: 'failure'; id: number; error: ErrorFacts }
  | { type: 'callback'; name: string; args: unknown[] };

/** An AirframeError on its way: what it says, without where in the child it was thrown. */
export type ErrorFacts = {
  category: ErrorCategory;
  problem: string;
} & Omit<AirframeErrorOptions, 'attempts' | 'cause'>;
