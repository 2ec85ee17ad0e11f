// Rows through airframe. Each makes an adapter and the endpoint to call it with; undefined: the row is absent.
import { pathToFileURL } from 'node:url';
import { CONTEXT_TOKENS } from '../cells.mjs';

const row = adapterOf => async (given, importPackage) => {
  const made = await adapterOf(given, importPackage);
  if (!made) return undefined;
  const { adapter, endpoint, extra = {} } = made;
  const complete = async (prompt, maxTokens, signal) => {
    const request = { prompt, maxTokens, temperature: 0, extra };
    const startedAt = performance.now();
    let [firstAt, lastAt, done] = [];
    for await (const event of adapter.streamInfer(endpoint, request, { signal })) {
      if (event.type === 'token') {
        lastAt = performance.now();
        firstAt ??= lastAt;
      } else if (event.type === 'error' && !signal.aborted) throw event.error;
      else if (event.type === 'done') done = event;
    }
    const { promptTokens, cachedTokens = 0, completionTokens } = done.usage;
    const { promptMs, generationMs } = done.timings;
    return {
      promptTokens,
      cachedTokens,
      completionTokens,
      startedAt,
      firstAt,
      lastAt,
      promptMs,
      generationMs,
    };
  };
  return { complete, close: () => adapter.close() };
};

/** `cache_prompt: false`: each prompt is to be evaluated as a whole. */
export const llamaServer = row(async ({ url }, importPackage) => {
  const { llamaServerAdapter } = await importPackage('@x/airframe');
  return {
    adapter: llamaServerAdapter(),
    endpoint: { name: 'bench', backendKind: 'llama_server', baseUrl: url },
    extra: { cache_prompt: false },
  };
});

const inProcess = (model, options) => ({
  name: 'bench',
  backendKind: 'llamacpp_native',
  baseUrl: pathToFileURL(model).href,
  options: { contextTokens: CONTEXT_TOKENS, ...options },
});

export const nodeLlamaCpp = row(async ({ model, threads }, importPackage) => {
  const { llamaCppAdapter } = await importPackage('@x/llamacpp-native');
  return { adapter: llamaCppAdapter({ engine: 'node-llama-cpp' }), endpoint: inProcess(model, { threads }) };
});

export const core = row(async ({ model, threads }, importPackage) => {
  const { llamaCppAdapter } = await importPackage('@x/llamacpp-native');
  const adapter = llamaCppAdapter({ engine: 'core' });
  return { adapter, endpoint: inProcess(model, { threads }), extra: { cache_prompt: false } };
});
