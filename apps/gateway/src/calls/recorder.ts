import type { AirframeError } from '@x/airframe';
import type {
  CallProgress,
  EmbeddingResponse,
  LLMResponse,
  ProviderAttempt,
  StreamingChunk,
} from '@x/avionics';
import type { AttemptRecord, RequestRecord } from '@x/console/contract';
import { defined } from '../defined.ts';

/** What takes records: a log, metrics, the console. */
export interface RecordSink {
  /** A call began, its first output came, or it is over: `state` tells. */
  record(record: RequestRecord): void;
}

/** Who calls, and what for. */
export interface CallFacts {
  id: string;
  key: string;
  agent: string;
  protocol: string;
  model: string;
  stream: boolean;
  /** Kept with the record; undefined: nothing is captured. */
  prompt?: string | undefined;
}

/** How a call has ended. */
export interface CallEnd {
  status: number;
  response?: LLMResponse | undefined;
  failure?: AirframeError | undefined;
  progress?: CallProgress | undefined;
}

/** Keeps the record of one call, and hands it out as it changes. */
export class CallRecorder {
  readonly #sink: RecordSink;
  readonly #startedTick = performance.now();
  readonly #prompt: string | undefined;
  #record: RequestRecord;
  #answer = '';
  #hasOutput = false;

  constructor(facts: CallFacts, sink: RecordSink) {
    const { prompt, ...known } = facts;
    this.#sink = sink;
    this.#prompt = prompt;
    this.#record = { ...known, at: Date.now(), state: 'running', attempts: [] };
    sink.record(this.#record);
  }

  /** A chunk of the answer has come. */
  output({ text, provider, model }: StreamingChunk): void {
    if (this.#prompt !== undefined) this.#answer += text;
    if (this.#hasOutput) return;
    this.#hasOutput = true;
    this.#record = { ...this.#record, provider, answeredBy: model, firstTokenMs: this.#elapsedMs };
    this.#sink.record(this.#record);
  }

  ended({ status, response, failure, progress }: CallEnd): void {
    const state = response ? 'succeeded' : failure?.category === 'aborted' || !failure ? 'stopped' : 'failed';
    const record: RequestRecord = {
      ...this.#record,
      state,
      status,
      latencyMs: this.#elapsedMs,
      attempts: (progress?.attempts ?? []).map(attempt => attemptOf(attempt, this.#record.at, progress)),
    };
    const node = progress?.routes.at(-1)?.node;
    if (node !== undefined) record.node = node;
    if (progress) Object.assign(record, accountOf(progress, response));
    if (response) Object.assign(record, answerOf(response));
    if (failure) record.error = { category: failure.category, message: failure.message };
    if (this.#prompt !== undefined) record.content = { prompt: this.#prompt, answer: this.#answer };
    this.#record = record;
    this.#sink.record(record);
  }

  /** A call for vectors has ended well. */
  embedded({ provider, model, tokensUsed, costUsd, metadata }: EmbeddingResponse): void {
    const { source } = metadata.usage;
    const latencyMs = this.#elapsedMs;
    const attempt = { provider, model, startMs: 0, durationMs: latencyMs, outcome: 'ok' };
    this.#record = {
      ...this.#record,
      ...{ state: 'succeeded', status: 200, provider, answeredBy: model, latencyMs, attempts: [attempt] },
      usage: { promptTokens: tokensUsed, completionTokens: 0, source },
      costUsd,
      priced: metadata.priced,
    };
    this.#sink.record(this.#record);
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startedTick;
  }
}

/** What the call has come to, failed tries included. */
function accountOf(
  { billed, costUsd, priced, routes, cache }: CallProgress,
  response: LLMResponse | undefined,
): Partial<RequestRecord> {
  const queuedMs = routes.reduce((sum, route) => sum + route.reasons.waitedMs, 0);
  const { promptTokens, completionTokens } = billed;
  const { cachedTokens, reasoningTokens, source = 'billed' } = response?.metadata.usage ?? {};
  return {
    usage: { promptTokens, completionTokens, source, ...defined({ cachedTokens, reasoningTokens }) },
    costUsd,
    priced,
    ...(routes.length > 0 ? { queuedMs } : {}),
    ...defined({ cache }),
  };
}

function answerOf({ provider, model, metadata: { finishReason } }: LLMResponse): Partial<RequestRecord> {
  return { provider, answeredBy: model, finishReason };
}

function attemptOf(
  attempt: ProviderAttempt,
  beganAt: number,
  progress: CallProgress | undefined,
): AttemptRecord {
  const { provider, endpoint, model, startedAt, durationMs, outcome, status, message } = attempt;
  const isNode = progress?.routes.some(({ node }) => node === endpoint);
  return {
    provider,
    startMs: Math.max(0, startedAt - beganAt),
    durationMs,
    outcome,
    ...(isNode ? { node: endpoint } : {}),
    ...defined({ model, status, message }),
  };
}
