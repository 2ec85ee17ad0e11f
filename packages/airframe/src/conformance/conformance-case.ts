import type { Capabilities } from '../adapter.ts';
import type { Timeouts } from '../endpoint.ts';
import type { ErrorCategory } from '../errors.ts';
import type { FinishReason } from '../events.ts';
import type { InferenceRequest } from '../request.ts';
import type { ScriptedReply } from './subject.ts';

/** One situation and its right outcome, as data. */
export interface ConformanceCase {
  /** A sentence: what happens, and what has to come of it. */
  name: string;
  /** What the backend does. Absent: it answers well; the only kind of case for a subject without dialect. */
  backend?: BackendScript;
  /** What the caller does. Absent: it reads to the end. */
  caller?: CallerScript;
  expect: Expectation;
  /** Left out where the adapter's manifest says no. */
  needs?: keyof Capabilities;
}

/** How the backend answers. */
export interface BackendScript {
  /** Default 200. */
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** `date`: an HTTP date two seconds ahead. */
  retryAfter?: string | 'date';
  /**
   * What it sends: the whole reply (default), the reply without its ending, only a failure, a failure after the body,
   * nothing at all, the reply as JSON, or these very bytes.
   */
  sends?:
    | 'reply'
    | 'body'
    | 'error'
    | 'body_and_error'
    | 'nothing'
    | 'json'
    | { text: string; type?: string };
  reply?: ScriptedReply;
  /** How the bytes are cut and written. */
  writes?: {
    /** Bytes a write; default: all at once. */
    bytes?: number;
    /** Milliseconds between two writes. */
    everyMs?: number;
    lines?: '\r\n' | '\r';
    /** Comments and blank lines between the events. */
    comments?: boolean;
    /** `data:{…}` */
    withoutSpace?: boolean;
    byteOrderMark?: boolean;
    /** The last event lacks its empty line. */
    withoutLastBlank?: boolean;
    gzip?: boolean;
  };
  /** Resets the connection at this byte of the body; `headers`: before the answer. */
  resetAt?: number | 'headers';
  /** What follows the last byte: the end of the answer (default), silence, or an end of the socket that is none of HTTP. */
  after?: 'end' | 'silence' | 'hang_up';
  /** Milliseconds before the answer begins; `forever`: it never does. */
  headersAfterMs?: number | 'forever';
}

/** What the caller of a case does. */
export interface CallerScript {
  request?: Partial<InferenceRequest>;
  timeouts?: Timeouts;
  /** The call's own headers. */
  headers?: Readonly<Record<string, string>>;
  /** Aborts before the call, while it waits for the first event, or after so many events. */
  abort?: 'before' | 'waiting' | { afterEvents: number };
  /** Leaves with `return()` while it waits for the first event, or after so many events. */
  leave?: 'waiting' | { afterEvents: number };
  /** Closes the adapter before the call, or after so many events. */
  close?: 'before' | { afterEvents: number };
  /** Reads one event and then waits until the backend has stopped sending. */
  stalls?: boolean;
  /** Asks for several events at once. */
  readsAhead?: boolean;
  /** The backend is not there. */
  wrongPort?: boolean;
}

/** What has to come of a case, beside the invariants that hold in each. */
export interface Expectation {
  /** One of these. Absent: the caller left and sees no end. */
  finishReason?: readonly FinishReason[];
  /** One of these, as the `error` event; absent: there is none. */
  error?: readonly ErrorCategory[];
  retryable?: boolean;
  /** Milliseconds, between these two. */
  retryAfterMs?: readonly [number, number];
  /** The text that has to come out: all of it (default without an error), or what was sent of it (default with one). */
  text?: 'whole' | 'prefix';
  /** The part of the text before an error that must not be lost, in events. */
  keepsEvents?: number;
}
