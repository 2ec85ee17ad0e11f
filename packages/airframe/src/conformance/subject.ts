import type { Adapter } from '../adapter.ts';
import type { EndpointSpec } from '../endpoint.ts';
import type { FinishReason } from '../events.ts';
import type { InferenceRequest } from '../request.ts';

/** What is put to the test, and how its backend speaks. */
export interface ConformanceSubject {
  /** Stands in the names of the tests. */
  name: string;
  /** A new adapter, for each case one; the kit closes it. */
  adapter(): Adapter;
  /**
   * Where it finds the backend; with {@link CONFORMANCE_KEY} as its key, so that a leak is found.
   * @param url root of the scripted backend; empty for a subject without dialect
   */
  endpoint(url: string): EndpointSpec;
  /**
   * How the backend writes an answer. Without it (an engine in this process) the cases that need a backend to misbehave
   * are left out, and the answer is whatever the engine says.
   */
  dialect?: Dialect;
  /** Merged into each request, e.g. to keep an engine's answers short. */
  request?: Partial<InferenceRequest>;
}

/** The key that the kit looks for in everything that comes out. */
export const CONFORMANCE_KEY = 'sk-conformance-4f9d1c7be02a68';

/** An event of the wire: `data` is sent as JSON unless it is text. */
export interface Frame {
  event?: string;
  data: unknown;
}

/** The answer that a case wants the backend to give. */
export interface ScriptedReply {
  /** Pieces of text, one event each. */
  text: readonly string[];
  toolCalls: readonly ScriptedToolCall[];
  finishReason: Extract<FinishReason, 'stop' | 'length' | 'tool_calls'>;
  promptTokens: number;
  completionTokens: number;
}

/** A tool call that the scripted backend makes. */
export interface ScriptedToolCall {
  id: string;
  name: string;
  /** Pieces of the arguments' JSON, one event each where the protocol has deltas. */
  arguments: readonly string[];
}

/** How a backend writes. Frames travel as server-sent events. */
export interface Dialect {
  /** What comes before the reply says that it is over. */
  body(reply: ScriptedReply): Frame[];
  /** How it says that it is over, with its reason and usage. */
  ending(reply: ScriptedReply): Frame[];
  /** The same reply as one JSON value, as asked for by `stream: false`. */
  json(reply: ScriptedReply): unknown;
  /** How it reports a failure in the midst of a stream. */
  error(message: string): Frame[];
  /** Answers to what the adapter asks beside the inference, e.g. for a prompt template; undefined for the inference. */
  aside?(path: string): unknown;
}

export function hasDialect(
  subject: ConformanceSubject,
): subject is ConformanceSubject & { dialect: Dialect } {
  return subject.dialect !== undefined;
}
