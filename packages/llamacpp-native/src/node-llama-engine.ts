import { AirframeError } from '@x/airframe';
import type { Llama, LlamaModel } from 'node-llama-cpp';
import { type Engine, type LoadOptions, type Model, usableContext } from './engine.ts';
import { type LogSink, LogSinks } from './log-sinks.ts';
import { BATCH_TOKENS, NodeLlamaModel } from './node-llama-model.ts';
import { availableCores, defaultThreads, physicalCores } from './threads.ts';

type Binding = typeof import('node-llama-cpp');

/** What the engine over node-llama-cpp takes. */
export interface NodeLlamaEngineOptions {
  /** Takes llama.cpp's log; without it there is none. */
  onLog?: LogSink | undefined;
}

/**
 * An engine over the npm package node-llama-cpp, which is imported on the first load. Adapters share models when they
 * share an engine; those that are given none do.
 */
export function nodeLlamaEngine({ onLog }: NodeLlamaEngineOptions = {}): Engine {
  const log = new LogSinks();
  if (onLog) log.add(onLog);
  return engineOver(log);
}

/** As {@link nodeLlamaEngine}, with a log whose readers come and go. */
export function engineOver(log: LogSinks): Engine {
  // One instance for the CPU and one for the GPU; llama.cpp's threads are shared out within each. They hold no
  // model and are not disposed of: the binding would shut llama.cpp down for everyone else in the process.
  const instances = new Map<boolean, Promise<Instance>>();
  const heard: Heard = {};

  const instance = (gpu: boolean): Promise<Instance> => {
    let starting = instances.get(gpu);
    if (!starting) {
      starting = startLlama(gpu, log, heard);
      instances.set(gpu, starting);
      starting.catch(() => instances.delete(gpu));
    }
    return starting;
  };

  return {
    abilities: ['embed', 'countTokens'],
    load: async load => {
      const gpu = (load.gpuLayers ?? 0) > 0;
      const { llama, setLogLevel } = await instance(gpu);
      load.signal?.throwIfAborted();
      if (gpu && llama.gpu === false) throw noGpu();
      setLogLevel();
      return loadModel(llama, load, heard);
    },
  };
}

interface Instance {
  llama: Llama;
  /** Lines that nobody reads are not worth a call out of C++. */
  setLogLevel(): void;
}

/** Heard in the log, which the instance that was started last gets for all of them. */
interface Heard {
  /** What llama.cpp last said about why it cannot load a model; its exception is always "Failed to load model". */
  complaint?: string | undefined;
}

async function startLlama(gpu: boolean, log: LogSinks, heard: Heard): Promise<Instance> {
  let binding: Binding;
  try {
    binding = await import('node-llama-cpp');
  } catch (error) {
    throw backendError('node-llama-cpp cannot be imported; install it', error);
  }
  // Asked first: a second instance over the same binary would take the log away from the first, and lose it.
  if (gpu && !(await binding.getLlamaGpuTypes('supported')).some(Boolean)) throw noGpu();
  const logLevel = () => (log.isRead ? binding.LlamaLogLevel.info : binding.LlamaLogLevel.error);
  try {
    const llama = await binding.getLlama({
      gpu: gpu ? 'auto' : false,
      // A compiler run or a download is nothing a request should set off.
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      logLevel: logLevel(),
      logger: (level, line) => {
        const complaint = /error loading model: (.+)/.exec(line)?.[1];
        if (complaint !== undefined) heard.complaint = complaint;
        log.write(level, line);
      },
      maxThreads: defaultThreads(availableCores(), physicalCores()),
    });
    const setLogLevel = () => {
      llama.logLevel = logLevel();
    };
    return { llama, setLogLevel };
  } catch (error) {
    const platform = `${process.platform}-${process.arch}`;
    throw backendError(
      `node-llama-cpp has no llama.cpp binary that runs here; is its optional dependency for ${platform} (@node-llama-cpp/…) installed?`,
      error,
    );
  }
}

async function loadModel(llama: Llama, options: LoadOptions, heard: Heard): Promise<Model> {
  const { path, signal, onProgress } = options;
  const gpuLayers = options.gpuLayers ?? 0;
  // More threads than cores wait for each other by spinning: a thousandth of the speed, never more of it.
  const fast = Math.min(physicalCores(), llama.cpuMathCores);
  const asked = options.threads ?? defaultThreads(availableCores(), fast);
  const threads = Math.min(asked, availableCores());
  // The instance hands out no more threads than this to all models together.
  llama.maxThreads = Math.max(llama.maxThreads, threads);
  heard.complaint = undefined;
  let model: LlamaModel | undefined;
  let contextTokens = 0;
  try {
    model = await llama.loadModel({
      modelPath: path,
      gpuLayers,
      ...(signal ? { loadSignal: signal } : {}),
      ...(onProgress ? { onLoadProgress: onProgress } : {}),
    });
    contextTokens = usableContext(options.contextTokens, model.trainContextSize);
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
    throw backendError(`llama.cpp cannot load ${path}; ${remedy}`, heard.complaint ?? error);
  }
}

function noGpu(): AirframeError {
  return new AirframeError('backend', 'node-llama-cpp finds no GPU that its llama.cpp can use');
}

function backendError(message: string, cause: unknown): AirframeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AirframeError('backend', `${message} (${reason})`, { cause });
}
