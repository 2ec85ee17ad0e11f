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
  const infer: Infer = async (call, reply) => {
    const endpoint = speaking(call.endpoint, call.request);
    const request = { ...repeatable(call.request), stream: true };
    try {
      return await server.infer(
        { ...call, endpoint, request },
        call.request.stream === false ? whole(reply) : reply,
      );
    } catch (error) {
      throw withRemedy(error);
    }
  };
  const count: CountTokens = call =>
    server.countTokens({ ...call, endpoint: speaking(call.endpoint, call.request) });
  return {
    ...server,
    kind: 'llamacpp_native',
    infer: (call, reply) =>
      isPlain(call.request) ? infer(call, reply) : inferWithTools(call, reply, use, infer),
    embed: call => server.embed({ ...call, endpoint: speaking(call.endpoint, {}, true) }),
    countTokens: call => (isPlain(call.request) ? count(call) : countWithTools(call, use, count)),
    listModels: listModel,
    health: endpoint => healthOf(models, endpoint),
    close: async () => {
      await models.close(CLOSED);
      stopLog();
    },
  };
}

/** The endpoint as airframe's adapter takes it. A chat goes over the route that splits reasoning from the answer. */
function speaking(endpoint: EndpointSpec, request: { prompt?: unknown }, embedding = false): EndpointSpec {
  const apiType = request.prompt === undefined ? 'openai' : 'native';
  return { ...endpoint, baseUrl: writeAddress({ endpoint, embedding }), options: { apiType } };
}

function withRemedy(error: unknown): AirframeError {
  const known = AirframeError.from(error);
  if (known.category !== 'context_length') return known;
  return known.with({
    remedy: "shorten it, or raise the endpoint's options.contextTokens as far as the model was trained for",
  });
}

/**
 * A seed asks for the same answer again, and a dice shows what rounding hides: a prompt evaluated in other portions
 * differs in the last bits. So nothing is reused then.
 */
function repeatable(request: LlamaCppRequest): LlamaCppRequest {
  if (request.seed === undefined || request.temperature === 0) return request;
  return { ...request, extra: { cache_prompt: false, ...request.extra } };
}
