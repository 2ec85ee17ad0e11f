import { AirframeError } from '@x/airframe';
import type { Llama, LlamaModel } from 'node-llama-cpp';
import type { Engine, LoadOptions, Model } from './engine.ts';
import { BATCH_TOKENS, NodeLlamaModel } from './node-llama-model.ts';
import { availableCores, defaultThreads } from './threads.ts';

type Binding = typeof import('node-llama-cpp');

/** A line of llama.cpp's log. */
export type LogSink = (level: string, line: string) => void;

export interface NodeLlamaEngineOptions {
  /** Takes llama.cpp's log; without it there is none. */
  onLog?: LogSink | undefined;
}

/** Context of a model that says nothing else, in tokens. More is a decision: KV memory grows with it. */
const DEFAULT_CONTEXT_TOKENS = 4096;

/** An engine over the npm package node-llama-cpp, which is imported on the first load. */
export function nodeLlamaEngine(options: NodeLlamaEngineOptions = {}): Engine {
  // One instance for the CPU and one for the GPU; llama.cpp's threads are shared out within each. They hold no
  // model and are not disposed of: the binding would shut llama.cpp down for everyone else in the process.
  const instances = new Map<boolean, Promise<Instance>>();

  const instance = (gpu: boolean): Promise<Instance> => {
    let starting = instances.get(gpu);
    if (!starting) {
      starting = startLlama(gpu, options.onLog);
      instances.set(gpu, starting);
      starting.catch(() => instances.delete(gpu));
    }
    return starting;
  };

  return {
    load: async load => {
      const started = await instance((load.gpuLayers ?? 0) > 0);
      load.signal?.throwIfAborted();
      return loadModel(started, load);
    },
  };
}

interface Instance {
  llama: Llama;
  /** What llama.cpp last said about why it cannot load a model; its exception is always "Failed to load model". */
  complaint?: string | undefined;
}

async function startLlama(gpu: boolean, onLog: LogSink | undefined): Promise<Instance> {
  let binding: Binding;
  try {
    binding = await import('node-llama-cpp');
  } catch (error) {
    throw backendError('node-llama-cpp cannot be imported; install it', error);
  }
  let instance: Instance | undefined;
  try {
    const llama = await binding.getLlama({
      gpu: gpu ? 'auto' : false,
      // A compiler run or a download is nothing a request should set off.
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      logLevel: onLog ? binding.LlamaLogLevel.info : binding.LlamaLogLevel.error,
      logger: (level, line) => {
        const complaint = /error loading model: (.+)/.exec(line)?.[1];
        if (instance && complaint !== undefined) instance.complaint = complaint;
        onLog?.(level, line);
      },
      maxThreads: defaultThreads(availableCores()),
    });
    instance = { llama };
    return instance;
  } catch (error) {
    const platform = `${process.platform}-${process.arch}`;
    throw backendError(
      `node-llama-cpp has no llama.cpp binary that runs here; is its optional dependency for ${platform} (@node-llama-cpp/…) installed?`,
      error,
    );
  }
}

async function loadModel(instance: Instance, options: LoadOptions): Promise<Model> {
  const { llama } = instance;
  const { path, signal, onProgress } = options;
  const gpuLayers = options.gpuLayers ?? 0;
  // More threads than cores wait for each other by spinning: a thousandth of the speed, never more of it.
  const asked = options.threads ?? defaultThreads(Math.min(availableCores(), llama.cpuMathCores));
  const threads = Math.min(asked, availableCores());
  // The instance hands out no more threads than this to all models together.
  llama.maxThreads = Math.max(llama.maxThreads, threads);
  instance.complaint = undefined;
  let model: LlamaModel | undefined;
  let contextTokens = 0;
  try {
    model = await llama.loadModel({
      modelPath: path,
      gpuLayers,
      ...(signal ? { loadSignal: signal } : {}),
      ...(onProgress ? { onLoadProgress: onProgress } : {}),
    });
    contextTokens = Math.min(model.trainContextSize, options.contextTokens ?? DEFAULT_CONTEXT_TOKENS);
    const context = await model.createContext({
      contextSize: contextTokens,
      batchSize: BATCH_TOKENS,
      threads,
      sequences: 1,
      failedCreationRemedy: false,
      ...(signal ? { createSignal: signal } : {}),
    });
    return new NodeLlamaModel(llama, model, context, { path, contextTokens, threads });
  } catch (error) {
    await model?.dispose();
    if (signal?.aborted) throw AirframeError.from(signal.reason);
    if (model) {
      const remedy = 'lower options.contextTokens, or use a smaller model';
      throw backendError(`no context of ${contextTokens} tokens can be made for ${path}; ${remedy}`, error);
    }
    const remedy = `fetch the file anew, or convert it for llama.cpp ${llama.llamaCppRelease.release}`;
    throw backendError(`llama.cpp cannot load ${path}; ${remedy}`, instance.complaint ?? error);
  }
}

function backendError(message: string, cause: unknown): AirframeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AirframeError('backend', `${message} (${reason})`, { cause });
}
