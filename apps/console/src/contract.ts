// What the gateway tells the console, as server-sent events of `GET /admin/events`: the event's name is the key below, its
// data one JSON value. Times are milliseconds since the epoch, durations milliseconds, costs US dollars.

export interface ConsoleEvents {
  /** First of all, and again whenever the configuration changes. */
  hello: Hello;
  /** After `hello`: what was before, the oldest first. */
  history: Sample[];
  /** Once a second. */
  sample: Sample;
  /** After `hello`, and whenever something has changed, at most once a second. */
  nodes: NodeCard[];
  circuits: Circuit[];
  budgets: Budget[];
  /** After `hello`: the newest calls, the newest last. */
  requests: RequestRecord[];
  /** A call that began, went on to another provider, or ended; the same id again replaces what was known. */
  request: RequestRecord;
  /** So many calls were left out of `request` just now, for there are more than anybody reads. Samples count them. */
  unlisted: number;
}

export interface Hello {
  version: string;
  /** This process, among replicas. */
  replica: string;
  startedAt: number;
  /** Prompts and answers are kept in the request log. */
  capture: boolean;
  models: ModelEntry[];
  /** Names as configured. */
  providers: string[];
  keys: string[];
}

/** What a client may name as model. */
export interface ModelEntry {
  id: string;
  /** Who is asked, in this order. */
  targets: { provider: string; model?: string; type: string }[];
  /** Of the first target, US dollars per 1,000 tokens; absent: unknown. Local models are free. */
  price?: { prompt: number; completion: number };
}

/** What happened in one second. */
export interface Sample {
  /** End of that second. */
  at: number;
  /** Calls under way at its end, and those of them that wait for a slot. */
  inFlight: number;
  waiting: number;
  all: Series;
  /**
   * Only those that had something in that second. A provider has the calls that it answered, and those it failed and
   * another one took up.
   */
  providers: Record<string, Series>;
  agents: Record<string, Series>;
  keys: Record<string, Series>;
}

/** Counts of one second. Calls are counted when they end. */
export interface Series {
  requests: number;
  /** By error category. */
  errors: Record<string, number>;
  promptTokens: number;
  completionTokens: number;
  costUsd: number;
  fallbacks: number;
  cacheHits: number;
  /** Of the calls that ended well; absent: there was none. */
  latencyMs?: { p50: number; p95: number };
  firstTokenMs?: { p50: number; p95: number };
}

/** A llama-server behind a provider with nodes. */
export interface NodeCard {
  provider: string;
  name: string;
  /** `in`: takes calls. `out`: unhealthy or ejected. `probing`: on trial. */
  state: 'in' | 'out' | 'probing';
  slots: number;
  /** Of all replicas. */
  busySlots: number;
  /** Of this one. */
  inFlight: number;
  /** Blocks of prompts in its KV cache, estimated. */
  heldBlocks: number;
  /** Of the calls it got, the share that went there for the prompt it holds, 0 to 1; absent: none yet. */
  affinity?: number;
  /** Moving averages. */
  errorRate: number;
  firstOutputMs?: number;
  latencyMs?: number;
}

export interface Circuit {
  provider: string;
  type: string;
  state: 'closed' | 'open' | 'half_open';
}

/** How far a limit is used up. */
export interface Budget {
  rule: string;
  /** Name of the key, agent or tag; absent: it is for all calls. */
  subject?: string;
  scope: 'agent' | 'key' | 'tag' | 'all';
  unit: 'usd' | 'tokens' | 'requests';
  window: string;
  limit: number;
  spent: number;
  /** Held by calls under way. */
  reserved: number;
  resetsAt: number;
}

/** One call in the request log. */
export interface RequestRecord {
  id: string;
  at: number;
  key: string;
  agent: string;
  protocol: string;
  /** As the client named it. */
  model: string;
  stream: boolean;
  state: 'running' | 'succeeded' | 'failed' | 'stopped';
  /** HTTP status; absent while it runs. */
  status?: number;
  /** Who answers. */
  provider?: string;
  answeredBy?: string;
  node?: string;
  finishReason?: string;
  cache?: 'hit' | 'shared' | 'miss';
  error?: { category: string; message: string };
  attempts: AttemptRecord[];
  usage?: {
    promptTokens: number;
    completionTokens: number;
    cachedTokens?: number;
    reasoningTokens?: number;
    source: string;
  };
  /** Of the whole call, failed tries included. */
  costUsd?: number;
  priced?: boolean;
  /** Milliseconds the call waited for a slot of a node, before the attempts that went to one. */
  queuedMs?: number;
  firstTokenMs?: number;
  latencyMs?: number;
  /** Only with capture on, and only in `GET /admin/requests/:id`. */
  content?: { prompt: string; answer: string };
}

/** One try at one provider, on the time line of its call. */
export interface AttemptRecord {
  provider: string;
  node?: string;
  model?: string;
  /** After the call began. */
  startMs: number;
  durationMs: number;
  /** `ok`, or an error category. */
  outcome: string;
  status?: number;
  message?: string;
}
