import { AirframeError } from '@x/airframe';
import { type LoadOptions, usableContext } from './engine.ts';
import { followLoad } from './load-progress.ts';
import { checkMemory } from './memory-estimate.ts';
import { type ModelFile, readModelFile } from './model-file.ts';
import type { Load } from './model-pool.ts';

/**
 * A load that looks first: whether the file is a model, and whether it fits. What the GPU does not take the CPU does.
 * @param load does the loading
 * @param sequences how many contexts it makes
 * @returns a load that fails with an AirframeError: `not_found` or `invalid_request` for the file, `backend` with code
 * `out_of_memory`, or what `load` fails with
 */
export function carefully<M>(
  load: (options: LoadOptions, file: ModelFile) => Promise<M>,
  sequences: (options: LoadOptions) => number = () => 1,
): Load<M> {
  return async (options, context) => {
    const { signal, gpuLayers = 0 } = options;
    const file = await readModelFile(options.path);
    const attempt = async (attempted: LoadOptions): Promise<M> => {
      signal?.throwIfAborted();
      if (context.checkMemory) checkMemory(file, planOf(attempted, file, sequences(attempted)));
      const progress = followLoad(file.bytes, fraction => options.onProgress?.(fraction));
      try {
        const model = await load({ ...attempted, onProgress: progress.told }, file);
        progress.told(1);
        return model;
      } finally {
        progress.end();
      }
    };
    if (gpuLayers === 0) return attempt(options);
    try {
      return await attempt(options);
    } catch (error) {
      const reason = AirframeError.from(error);
      if (reason.code === 'out_of_memory') throw reason;
      const model = await attempt({ ...options, gpuLayers: 0 });
      context.onWarning(
        `${options.path} runs on the CPU: with gpuLayers ${gpuLayers} it could not be loaded (${reason.message})`,
      );
      return model;
    }
  };
}

function planOf(
  { contextTokens, gpuLayers }: LoadOptions,
  { trainedContextTokens }: ModelFile,
  sequences: number,
) {
  return { contextTokens: usableContext(contextTokens, trainedContextTokens), sequences, gpuLayers };
}
