import { type LoadOptions, usableContext } from '../engine.ts';
import { carefully } from '../load-model.ts';
import { LogSinks } from '../log-sinks.ts';
import type { ModelFile } from '../model-file.ts';
import { ModelPool } from '../model-pool.ts';
import { availableCores, defaultThreads, physicalCores } from '../threads.ts';
import { loadAddon } from './addon.ts';
import { CoreModel } from './core-model.ts';

/** Sequences of a model: requests it works on at once. */
const DEFAULT_PARALLEL = 4;

/** A chat whose sequence another has taken is then not evaluated anew. In MiB. */
const DEFAULT_CACHE_MIB = 512;

/** How llama.cpp numbers it that a text's vector is that of its last token. */
const LAST_TOKEN = 3;

/** Who reads the core's log: llama.cpp has one for the process. */
export const coreLog: LogSinks = new LogSinks();

/** The models that the core has loaded, for all adapters of the process. */
export const corePool: ModelPool<CoreModel> = new ModelPool(carefully(loadModel, sequences));

function loadModel(options: LoadOptions, file: ModelFile): Promise<CoreModel> {
  const { path, signal, onProgress, embedding = false } = options;
  const cores = availableCores();
  const settings = {
    model: path,
    alias: file.name,
    mmproj: options.mmproj ?? '',
    contextTokens: usableContext(options.contextTokens, file.trainedContextTokens),
    parallel: sequences(options),
    threads: Math.min(options.threads ?? defaultThreads(cores, physicalCores()), cores),
    gpuLayers: options.gpuLayers ?? 0,
    cacheMiB: options.promptCacheMiB ?? DEFAULT_CACHE_MIB,
    embedding,
    pooling: file.pooling ?? LAST_TOKEN,
    log: coreLog.isRead,
  };
  return CoreModel.load(loadAddon(), { settings, signal, onProgress, onLog: coreLog.write });
}

/** Texts are made vectors of one after the other. */
function sequences({ embedding, parallel }: LoadOptions): number {
  return embedding ? 1 : (parallel ?? DEFAULT_PARALLEL);
}
