import { randomUUID } from 'node:crypto';
import { AirframeError, type EmbedRequest, type Timeouts, type Usage } from '@x/airframe';
import { toNanoUsd } from '../cost/money.ts';
import type { RouteInferOptions } from '../nodes/node-tries.ts';
import type { LLMProvider } from '../providers/base.ts';
import { defined } from '../providers/options.ts';
import { noProvider } from '../routing/fallback.ts';
import type { AttemptEnd } from '../telemetry/attempt.ts';
import type { OperationTelemetry } from '../telemetry/operation.ts';
import { CallClock } from './clock.ts';
import type { CallContext, Destination } from './context.ts';
import { isStopped, Meter } from './meter.ts';
import { type RequestMetadata, timeoutsOf } from './request.ts';
import { allowanceOf, amountsOf } from './reservation.ts';

/** Texts to be turned into vectors. */
export interface EmbeddingRequest extends EmbedRequest {
  /** Who asks; chooses settings and stands in results. Default `unknown`. */
  agentName?: string;
  /** The caller's key, where budgets go by it. Never sent anywhere. */
  key?: string;
  /** Labels for budgets. */
  tags?: readonly string[];
  /** With nodes: only those that have all of these. */
  nodeTags?: readonly string[];
  /** Comes back as `response.metadata.request`. */
  metadata?: RequestMetadata;
  /** Ends the call. */
  signal?: AbortSignal;
  /** Milliseconds for the whole call; the same as `timeouts.totalMs`. */
  deadlineMs?: number;
  /** Deadlines over the provider's own, in milliseconds. */
  timeouts?: Timeouts;
}

/** Vectors and what they took. */
export interface EmbeddingResponse {
  /** One vector a text, in the order of the input. */
  embeddings: number[][];
  /** The provider that answered, by the name it is configured under. */
  provider: string;
  /** The model that answered, in the backend's words; `default` when it did not say. */
  model: string;
  tokensUsed: number;
  costUsd: number;
  latencyMs: number;
  timestamp: Date;
  metadata: {
    requestId: string;
    agentName: string;
    usage: Usage;
    /** false: the model's price is unknown, and `costUsd` lacks it. */
    priced: boolean;
    /** What the request brought as its `metadata`. */
    request?: RequestMetadata;
  };
}

/** A call for vectors that is being made. */
interface EmbedCall {
  request: EmbeddingRequest;
  context: CallContext;
  destination: Destination;
  clock: CallClock;
  meter: Meter;
  operation: OperationTelemetry;
}

/**
 * Vectors of the first provider. No other one is asked when it fails: another model's vectors mean something else, and
 * nobody could tell them apart.
 * @throws AirframeError; of code `unsupported` when the provider has no embeddings
 */
export async function embed(request: EmbeddingRequest, context: CallContext): Promise<EmbeddingResponse> {
  const clock = new CallClock();
  clock.limit(timeoutsOf(request));
  const [destination] = context.destinations();
  if (!destination) throw noProvider();
  const { agentName, telemetry, stats, logger } = context;
  const operation = telemetry.operation({
    operation: 'embeddings',
    provider: destination.type,
    model: destination.model,
    agentName,
  });
  const meter = new Meter(context.resourceCallback, agentName, logger);
  let response: EmbeddingResponse | undefined;
  let failure: AirframeError | undefined;
  stats.began();
  try {
    response = await limited({ request, context, destination, clock, meter, operation });
    return response;
  } catch (error) {
    failure = AirframeError.from(error);
    throw failure;
  } finally {
    const tokens = response?.tokensUsed ?? 0;
    stats.ended(response ? 'succeeded' : isStopped(failure) ? 'stopped' : 'failed', {
      agentName,
      latencyMs: clock.elapsedMs,
      firstChunkMs: undefined,
      ...{ promptTokens: tokens, completionTokens: 0, totalTokens: tokens },
      costUsd: response?.costUsd ?? 0,
    });
    operation.ended({ error: failure });
  }
}

async function limited(call: EmbedCall): Promise<EmbeddingResponse> {
  const { limiter, agentName } = call.context;
  if (!limiter) return asked(call);
  const { input, key, tags, signal } = call.request;
  const texts = typeof input === 'string' ? input : input.join('\n');
  const amounts = [amountsOf(call.destination, { prompt: texts, maxTokens: 0 })];
  const wanted = { destinations: [call.destination], amounts };
  const ends = { clock: call.clock, left: signal };
  const { reservation } = await call.operation.run(() =>
    allowanceOf(limiter, { agentName, key, tags }, wanted, ends),
  );
  let used = { tokens: 0, nanoUsd: 0 };
  try {
    const response = await asked(call);
    used = { tokens: response.tokensUsed, nanoUsd: toNanoUsd(response.costUsd) };
    return response;
  } finally {
    await reservation.settle(used);
  }
}

async function asked(call: EmbedCall): Promise<EmbeddingResponse> {
  const { request, context, destination, clock, meter } = call;
  const { stats, breakers, agentName } = context;
  const { name, model } = destination;
  meter.admit();
  const provider = destination.provider();
  const breaker = breakers.of(name);
  breaker.began();
  const part = { provider: name, costUsd: 0, priced: true };
  try {
    const { usage, result, cost } = await attempt(call, provider);
    breaker.succeeded();
    const { costUsd, priced } = cost;
    stats.provider({ ...part, costUsd, priced, usage, error: undefined });
    meter.settle(usage.promptTokens, 0);
    const requestId = randomUUID();
    return {
      embeddings: result.embeddings,
      provider: name,
      model: result.model ?? model ?? provider.defaultModel ?? 'default',
      tokensUsed: usage.promptTokens,
      costUsd: cost.costUsd,
      latencyMs: clock.elapsedMs,
      timestamp: new Date(),
      metadata: {
        ...{ requestId, agentName, usage, priced: cost.priced },
        ...defined({ request: request.metadata }),
      },
    };
  } catch (thrown) {
    const error = AirframeError.from(thrown);
    breaker.failed(error);
    stats.provider({ ...part, usage: { promptTokens: 0, completionTokens: 0 }, error: error.category });
    throw error;
  }
}

/** The call itself, as telemetry sees it. */
async function attempt(
  { request, context, destination, clock, operation }: EmbedCall,
  provider: LLMProvider,
) {
  const { input, dimensions, extra, signal, nodeTags } = request;
  const { model } = destination;
  const { baseUrl } = provider;
  const asking = { input, ...defined({ model, dimensions, extra }) };
  const telemetry = operation.attempt({
    provider: provider.name,
    model: model ?? provider.defaultModel,
    baseUrl,
    request: asking,
  });
  const options: RouteInferOptions = {
    agentName: context.agentName,
    onRoute: decision => telemetry.routed(decision),
    ...defined({ signal, timeouts: clock.timeouts, headers: telemetry.headers(), tags: nodeTags }),
  };
  let end: AttemptEnd = {};
  try {
    const result = await telemetry.run(() => provider.embed(asking, options));
    const { usage } = result;
    const cost = provider.costOf(model, result);
    end = { ...result, cost };
    return { result, usage, cost };
  } catch (error) {
    end = { error: AirframeError.from(error) };
    throw error;
  } finally {
    telemetry.ended(end);
  }
}
