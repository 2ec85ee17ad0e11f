import {
  type AdapterDefinition,
  AirframeError,
  type EndpointSpec,
  type HttpFn,
  llamaServerDefinition,
} from '@x/airframe';
import type { LlamaCppAdapterOptions } from '../adapter.ts';
import {
  CLOSED,
  healthOf,
  idleUnloadMs,
  listModel,
  type ModelEndpoint,
  memberOptions,
  modelKey,
} from '../endpoint-models.ts';
import { PoolMember } from '../pool-member.ts';
import type { LlamaCppExtra, LlamaCppRequest } from '../request.ts';
import { isPlain } from '../tools/plain-request.ts';
import { readAddress, writeAddress } from './address.ts';
import { bounded } from './bounds.ts';
import { coreLog, corePool } from './core-pool.ts';
import { type CountTokens, countWithTools, type Infer, inferWithTools } from './core-tools.ts';
import { whole } from './whole-reply.ts';

/**
 * llama.cpp's own server core in this process. airframe's adapter for llama-server speaks to it as it would to a
 * server, only that nothing goes through a socket: the HTTP function takes the address of a model instead of a host's.
 */
export function coreDefinition(options: LlamaCppAdapterOptions): AdapterDefinition<LlamaCppExtra> {
  const stopLog = options.onLog ? coreLog.add(options.onLog) : () => {};
  const models = new PoolMember(corePool, memberOptions(options));
  const use = (endpoint: ModelEndpoint, signal: AbortSignal, embedding = false) =>
    models.use(
      { ...modelKey(endpoint), ...(embedding ? { embedding } : {}) },
      { signal, idleUnloadMs: idleUnloadMs(endpoint, options) },
    );
  const http: HttpFn = async request => {
    // Loading and queueing are what headers are waited for elsewhere.
    request.onConnected?.();
    const { endpoint, embedding, path } = readAddress(request.url);
    const { model, done } = await use(endpoint, request.signal, embedding);
    try {
      return await model.send(path, request, done);
    } catch (error) {
      done();
      throw error;
    }
  };
  const server = llamaServerDefinition({ http });
  const infer: Infer = (call, reply) =>
    spoken(call, spoken =>
      server.infer(
        { ...spoken, request: { ...repeatable(bounded(call.request)), stream: true } },
        call.request.stream === false ? whole(reply) : reply,
      ),
    );
  const count: CountTokens = call => spoken(call, server.countTokens);
  return {
    ...server,
    kind: 'llamacpp_native',
    infer: (call, reply) =>
      isPlain(call.request) ? infer(call, reply) : inferWithTools(call, reply, use, infer),
    embed: call => spoken(call, server.embed, true),
    countTokens: call => (isPlain(call.request) ? count(call) : countWithTools(call, use, count)),
    listModels: listModel,
    health: endpoint => healthOf(models, endpoint),
    close: async () => {
      await models.close(CLOSED);
      stopLog();
    },
  };
}

/**
 * Does a call with the endpoint as airframe's adapter takes it. A chat goes over the route that splits reasoning from
 * the answer.
 */
async function spoken<C extends { endpoint: EndpointSpec; request: object }, T>(
  call: C,
  work: (call: C) => T,
  embedding = false,
): Promise<Awaited<T>> {
  const { endpoint, request } = call;
  const baseUrl = writeAddress({ endpoint, embedding });
  const apiType = 'prompt' in request && request.prompt !== undefined ? 'native' : 'openai';
  try {
    return await work({ ...call, endpoint: { ...endpoint, baseUrl, options: { apiType } } });
  } catch (error) {
    throw inPlainWords(AirframeError.from(error), baseUrl, endpoint);
  }
}

/** What a user can do something with: the model's URL in place of its address in here. */
function inPlainWords(error: AirframeError, address: string, { baseUrl }: EndpointSpec): AirframeError {
  const remedy =
    error.category === 'context_length'
      ? "shorten it, or raise the endpoint's options.contextTokens as far as the model was trained for"
      : error.remedy;
  return new AirframeError(
    error.category,
    error.problem.replace(address, () => baseUrl),
    {
      ...error,
      cause: error.cause,
      remedy,
    },
  );
}

/**
 * A seed asks for the same answer again, and a dice shows what rounding hides: a prompt evaluated in other portions
 * differs in the last bits. So nothing is reused then.
 */
function repeatable(request: LlamaCppRequest): LlamaCppRequest {
  if (request.seed === undefined || request.temperature === 0) return request;
  return { ...request, extra: { cache_prompt: false, ...request.extra } };
}
