import { basename } from 'node:path';
import {
  type AdapterDefinition,
  AirframeError,
  type EndpointSpec,
  type HttpFn,
  type InferenceRequest,
  llamaServerDefinition,
} from '@x/airframe';
import type { LoadOptions } from '../engine.ts';
import { checkGguf } from '../gguf-file.ts';
import { LoadedModels } from '../loaded-models.ts';
import { modelKey } from '../model-key.ts';
import type { LogSink } from '../node-llama-engine.ts';
import type { LlamaCppExtra } from '../request.ts';
import { availableCores, defaultThreads } from '../threads.ts';
import { Interrupt } from '../turns.ts';
import { loadAddon } from './addon.ts';
import { readAddress, writeAddress } from './address.ts';
import { CoreModel } from './core-model.ts';

export interface CoreOptions {
  onLoadProgress?: ((fraction: number, path: string) => void) | undefined;
  onLog?: LogSink | undefined;
}

/** Context of a model that says nothing else, in tokens. More is a decision: KV memory grows with it. */
const DEFAULT_CONTEXT_TOKENS = 4096;

/** Sequences of a model: requests it works on at once. */
const DEFAULT_PARALLEL = 4;

/**
 * llama.cpp's own server core in this process. airframe's adapter for llama-server speaks to it as it would to a
 * server, only that nothing goes through a socket: the HTTP function takes the address of a model instead of a host's.
 */
export function coreDefinition(options: CoreOptions): AdapterDefinition<LlamaCppExtra> {
  const { onLoadProgress, onLog } = options;
  const models = new LoadedModels<CoreModel>(load => loadModel(load, onLog), onLoadProgress);
  const http: HttpFn = async request => {
    // Loading and queueing are what headers are waited for elsewhere.
    request.onConnected?.();
    const { endpoint, embedding, path } = readAddress(request.url);
    const interrupt = new Interrupt(request.signal);
    try {
      const model = await interrupt.wait(models.get({ ...modelKey(endpoint), embedding }));
      return await model.send(path, request);
    } finally {
      interrupt.dispose();
    }
  };
  const server = llamaServerDefinition({ http });
  return {
    ...server,
    kind: 'llamacpp_native',
    infer: (call, reply) =>
      server.infer(
        { ...call, endpoint: speaking(call.endpoint, call.request), request: repeatable(call.request) },
        reply,
      ),
    embed: call => server.embed({ ...call, endpoint: speaking(call.endpoint, {}, true) }),
    countTokens: call => server.countTokens({ ...call, endpoint: speaking(call.endpoint, call.request) }),
    listModels: (endpoint, deadlines) => server.listModels(speaking(endpoint, {}), deadlines),
    // A look at a model's health must not load it, so this is not asked of llama.cpp.
    health: async endpoint => {
      const key = modelKey(endpoint);
      await checkGguf(key.path);
      return models.state({ ...key, embedding: false });
    },
    close: () => models.close(new AirframeError('aborted', 'the adapter is closed')),
  };
}

/** The endpoint as airframe's adapter takes it. A chat goes over the route that splits reasoning from the answer. */
function speaking(endpoint: EndpointSpec, request: { prompt?: unknown }, embedding = false): EndpointSpec {
  const apiType = request.prompt === undefined ? 'openai' : 'native';
  return { ...endpoint, baseUrl: writeAddress({ endpoint, embedding }), options: { apiType } };
}

/**
 * A seed asks for the same answer again, and a dice shows what rounding hides: a prompt evaluated in other portions
 * differs in the last bits. So nothing is reused then.
 */
function repeatable(request: InferenceRequest<LlamaCppExtra>): InferenceRequest<LlamaCppExtra> {
  if (request.seed === undefined || request.temperature === 0) return request;
  return { ...request, extra: { cache_prompt: false, ...request.extra } };
}

function loadModel(options: LoadOptions, onLog: LogSink | undefined): Promise<CoreModel> {
  const { path, signal, onProgress } = options;
  const settings = {
    model: path,
    alias: basename(path, '.gguf'),
    mmproj: options.mmproj ?? '',
    contextTokens: options.contextTokens ?? DEFAULT_CONTEXT_TOKENS,
    parallel: options.embedding ? 1 : (options.parallel ?? DEFAULT_PARALLEL),
    threads: Math.min(options.threads ?? defaultThreads(availableCores()), availableCores()),
    gpuLayers: options.gpuLayers ?? 0,
    cacheMiB: options.promptCacheMiB ?? 0,
    embedding: options.embedding ?? false,
    pooling: -1,
    log: onLog !== undefined,
  };
  return CoreModel.load(loadAddon(), { settings, signal, onProgress, onLog });
}
