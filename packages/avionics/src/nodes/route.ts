import type { EjectionState } from './ejection.ts';
import type { RouteOutcome } from './node-state.ts';
import type { PromptPrefix } from './prefix.ts';
import type { Strategy } from './strategies.ts';

/** A call that wants a node. */
export interface RouteRequest {
  prefix: PromptPrefix;
  agentName?: string;
  /** A node must have all of them. */
  tags?: readonly string[];
  model?: string;
  /** Nodes not to be used, such as those that have failed this call. */
  exclude?: ReadonlySet<string>;
  /**
   * When it came, by the router's clock: `balanced` lets it wait a while for the node that holds most of its prompt.
   * Absent: it takes what has room.
   */
  since?: number;
}

/** Why a node was chosen, in numbers. */
export interface RouteReasons {
  strategy: Strategy;
  /**
   * `prefix`: it holds the most of the prompt. `load`: it is the one that will answer soonest. `turn`: it was its turn.
   * `waited`: it holds the most of the prompt, and the call waited for it while others had room. `moved`: another one
   * does, and the call has waited for that in vain. `probe`: it shows whether it is well again.
   * `least_bad`: no node is well.
   */
  why: 'prefix' | 'load' | 'turn' | 'waited' | 'moved' | 'probe' | 'least_bad';
  /** Tokens of the prompt, estimated. */
  promptTokens: number;
  /** Those of them that the node should not have to evaluate, estimated. */
  cachedTokens: number;
  /** Busy slots of the node before this call, and all it has. */
  busySlots: number;
  slots: number;
  /** Most calls it may have under the load cap; with `balanced` only. */
  loadLimit?: number;
  /** Milliseconds to the first output, expected. Absent as long as nothing has been measured there. */
  expectedFirstOutputMs?: number;
  /** Nodes that could have been chosen. */
  candidates: number;
}

/** A call given to a node; it counts as in flight until `end`. */
export interface Assignment {
  node: string;
  /** Whether the router has this node no longer; it may have another of the same name. */
  readonly removed: boolean;
  reasons: RouteReasons;
  /** To be called at the first piece of output; further calls change nothing. */
  firstOutput(): void;
  /** Further calls change nothing. */
  end(outcome: RouteOutcome): void;
}

/**
 * No node. `saturated`: there are some, but the call has to wait for a slot. `excluded`: all that match are excluded.
 * `unmatched`: none is for this agent, model and tags.
 */
export type Refusal = 'saturated' | 'excluded' | 'unmatched';

/** What came of a call's wish for a node. */
export type RouteResult = Assignment | Refused;

/** A call that got no node, and why. */
export interface Refused {
  node?: never;
  refused: Refusal;
  /** Only with `saturated`: others have room, and this one is worth waiting for. */
  waitsFor?: HomeWait;
}

/** A node that holds more of a call's prompt than any that has room, but is full, or has it in use. */
export interface HomeWait {
  node: string;
  /** When the call takes another one, by the router's clock; Infinity with `affinity`. */
  until: number;
}

/** A call that waits for a slot. */
export interface Waiting {
  request: RouteRequest;
  /** Times that a later one was given a slot it could have had; 0 at first, kept by the router. */
  passedOver: number;
  /** As in the refusal that made it wait; kept by the router from then on. */
  waitsFor?: HomeWait | undefined;
}

/** A node's figures at this moment. */
export interface NodeSnapshot {
  name: string;
  baseUrl: string;
  /** `in`: takes calls. `out`: unhealthy, or ejected. `probing`: back from an ejection, on trial. */
  state: EjectionState;
  /** Why it is `out`; absent else. */
  out?: NodeOut;
  slots: number;
  /** Those of others included. */
  busySlots: number;
  /** Our own calls. */
  inFlight: number;
  /** Blocks of prompts it may still hold. */
  heldBlocks: number;
  /**
   * Share of the calls sent to it, 0 to 1, that went there because of the prompt it holds (reasons `prefix` and
   * `waited`): a moving average over some twenty calls. Absent before the first.
   */
  affinityRate?: number;
  /** Moving average, 0 to 1. */
  errorRate: number;
  /** Moving averages in milliseconds. */
  firstOutputMs?: number;
  latencyMs?: number;
}

/** Why a node takes no calls. */
export interface NodeOut {
  /** `unhealthy`: a look at it, another replica or an operator says so. `ejected`: calls to it have failed. */
  because: 'unhealthy' | 'ejected';
  /** Milliseconds until a call may try it; of an ejected one only, an unhealthy one comes back when a look finds it well. */
  forMs?: number;
  /** What was found, in words; of an unhealthy one, where it is known. */
  reason?: string;
}
