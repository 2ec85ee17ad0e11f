import type { AirframeError } from '@x/airframe';
import type {
  CallProgress,
  EmbeddingResponse,
  LLMResponse,
  ProviderAttempt,
  StreamingChunk,
} from '@x/avionics';
import type { AttemptRecord, RequestRecord } from '@x/console/contract';

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
    const { id, key, agent, protocol, model, stream, prompt } = facts;
    this.#sink = sink;
    this.#prompt = prompt;
    const at = Date.now();
    this.#record = { id, at, key, agent, protocol, model, stream, state: 'running', attempts: [] };
    sink.record(this.#record);
  }

  /** A chunk of the answer has come. */
  output({ text, provider, model }: StreamingChunk): void {
    if (this.#prompt !== undefined) this.#answer += text;
    if (this.#hasOutput) return;
    this.#hasOutput = true;
    const { id, at, key, agent, protocol, model: asked, stream, state, attempts } = this.#record;
    const told = { provider, answeredBy: model, firstTokenMs: this.#elapsedMs };
    this.#record = { id, at, key, agent, protocol, model: asked, stream, state, attempts, ...told };
    this.#sink.record(this.#record);
  }

  /** Written out field by field, each in one place whether it is there or not: made for each call. */
  ended({ status, response, failure, progress }: CallEnd): void {
    const { id, at, key, agent, protocol, model, stream, provider, answeredBy, firstTokenMs } = this.#record;
    const { routes = NO_ROUTES, attempts = [] } = progress ?? {};
    const last = routes.at(-1);
    const record = {
      id,
      at,
      key,
      agent,
      protocol,
      model,
      stream,
      state: response ? 'succeeded' : failure?.category === 'aborted' || !failure ? 'stopped' : 'failed',
      attempts: attempts.map(attempt => attemptOf(attempt, at, routes)),
      status,
      latencyMs: this.#elapsedMs,
      firstTokenMs,
      provider: response?.provider ?? provider,
      answeredBy: response?.model ?? answeredBy,
      finishReason: response?.metadata.finishReason,
      usage: progress && usageOf(progress, response),
      costUsd: progress?.costUsd,
      priced: progress?.priced,
      cache: progress?.cache,
      node: last?.node,
      queuedMs: last && routes.reduce((sum, route) => sum + route.reasons.waitedMs, 0),
      error: failure && { category: failure.category, message: failure.message },
      content: this.#prompt === undefined ? undefined : { prompt: this.#prompt, answer: this.#answer },
    } as RequestRecord;
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

const NO_ROUTES: CallProgress['routes'] = [];

/** What the call has used, failed tries included. */
function usageOf(
  { billed: { promptTokens, completionTokens } }: CallProgress,
  response: LLMResponse | undefined,
): RequestRecord['usage'] {
  const { cachedTokens, reasoningTokens, source = 'billed' } = response?.metadata.usage ?? {};
  const usage: NonNullable<RequestRecord['usage']> = { promptTokens, completionTokens, source };
  if (cachedTokens !== undefined) usage.cachedTokens = cachedTokens;
  if (reasoningTokens !== undefined) usage.reasoningTokens = reasoningTokens;
  return usage;
}

function attemptOf(attempt: ProviderAttempt, beganAt: number, routes: CallProgress['routes']): AttemptRecord {
  const { provider, endpoint, model, startedAt, durationMs, outcome, status, message } = attempt;
  const isNode = routes.some(({ node }) => node === endpoint);
  const record: AttemptRecord = {
    provider,
    startMs: Math.max(0, startedAt - beganAt),
    durationMs,
    outcome,
  };
  if (isNode) record.node = endpoint;
  if (model !== undefined) record.model = model;
  if (status !== undefined) record.status = status;
  if (message !== undefined) record.message = message;
  return record;
}
