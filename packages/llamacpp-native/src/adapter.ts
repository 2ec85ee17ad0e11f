import {
  type Adapter,
  type AdapterDefinition,
  AirframeError,
  defineAdapter,
  type InferenceCall,
  type Reply,
} from '@x/airframe';
import { findAddon, requireAddon } from './core/addon.ts';
import { coreDefinition } from './core/core-definition.ts';
import type { Engine, Generated, Model } from './engine.ts';
import { checkGguf } from './gguf-file.ts';
import { EngineChild } from './isolation/engine-child.ts';
import { withIsolation } from './isolation/isolated.ts';
import { type Disposable, LoadedModels } from './loaded-models.ts';
import { modelKey } from './model-key.ts';
import { type LogSink, nodeLlamaEngine } from './node-llama-engine.ts';
import { type LlamaCppExtra, type ReadRequest, readRequest } from './request.ts';
import { Interrupt, Turns } from './turns.ts';

/** What runs llama.cpp. */
export type EngineName = 'core' | 'node-llama-cpp';

export interface LlamaCppAdapterOptions {
  /** How much of a model is loaded, 0 to 1. */
  onLoadProgress?: (fraction: number, path: string) => void;
  /** Takes llama.cpp's log lines; without it there are none. */
  onLog?: LogSink;
  /**
   * `core`: llama.cpp compiled for this machine by `npx llamacpp-native build`; it can do all that a llama-server can.
   * `node-llama-cpp`: that package's binaries. Or an engine of one's own. Default: `core` where it has been built.
   */
  engine?: EngineName | Engine;
}

/**
 * llama.cpp in this process, or in one of its own where an endpoint's options ask for that. An endpoint's `baseUrl` is
 * the `file:` URL of a GGUF file, its `options` are {@link LlamaCppOptions}. A model is loaded by the first call and
 * kept until `close()`.
 * @throws AirframeError not_found: the engine `core` is asked for and has not been built
 */
export function llamaCppAdapter(options: LlamaCppAdapterOptions = {}): Adapter<LlamaCppExtra> {
  return defineAdapter(withIsolation(llamaCppDefinition(options), new EngineChild(options)));
}

/** What runs in this process, whichever it is. */
export function llamaCppDefinition(options: LlamaCppAdapterOptions): AdapterDefinition<LlamaCppExtra> {
  const { onLoadProgress, onLog } = options;
  const engine = options.engine ?? (findAddon() ? 'core' : 'node-llama-cpp');
  if (engine === 'core') {
    requireAddon();
    return coreDefinition({ onLoadProgress, onLog });
  }
  return engineDefinition(engine === 'node-llama-cpp' ? nodeLlamaEngine({ onLog }) : engine, onLoadProgress);
}

/** A model with the queue in front of it. */
interface QueuedModel extends Disposable {
  model: Model;
  turns: Turns;
}

type Call = InferenceCall<LlamaCppExtra>;

function engineDefinition(
  engine: Engine,
  onLoadProgress: LlamaCppAdapterOptions['onLoadProgress'],
): AdapterDefinition<LlamaCppExtra> {
  const models = new LoadedModels<QueuedModel>(async load => {
    const model = await engine.load(load);
    const turns = new Turns(model.facts.parallel);
    const dispose = () => turns.idle().then(() => model.dispose());
    return { model, turns, dispose };
  }, onLoadProgress);
  return {
    kind: 'llamacpp_native',
    capabilities: {
      streaming: true,
      rawPrompt: true,
      tools: false,
      images: false,
      reasoning: false,
      jsonSchema: true,
      seed: true,
    },
    infer: (call, reply) => infer(call, reply, models),
    health: async endpoint => {
      const key = modelKey(endpoint);
      await checkGguf(key.path);
      return models.state(key);
    },
    close: () => models.close(new AirframeError('aborted', 'the adapter is closed')),
  };
}

async function* infer(call: Call, reply: Reply, models: LoadedModels<QueuedModel>): AsyncGenerator<void> {
  const request = readRequest(call.request);
  const interrupt = new Interrupt(call.signal);
  try {
    // Loading, queueing and reading the prompt are what headers are waited for elsewhere.
    call.deadlines.enter('headers');
    const { model, turns } = await interrupt.wait(models.get(modelKey(call.endpoint)));
    reply.identify({ model: model.facts.name });
    const prompt = promptText(model, request);
    const endTurn = await turns.take(call.signal);
    const generated = model
      .generate({ ...request.generate, prompt, signal: call.signal })
      [Symbol.asyncIterator]();
    try {
      yield* deliver(call, reply, () => interrupt.wait(generated.next()));
    } finally {
      // What llama.cpp evaluates right now it will finish; the caller need not wait for it, the next in turn must.
      void close(generated).then(endTurn);
    }
  } finally {
    interrupt.dispose();
  }
}

function promptText(model: Model, { prompt, templateKwargs }: ReadRequest): string {
  return typeof prompt === 'string' ? prompt : model.chatPrompt(prompt, { templateKwargs });
}

async function* deliver(
  { request, deadlines }: Call,
  reply: Reply,
  next: () => Promise<IteratorResult<Generated>>,
): AsyncGenerator<void> {
  let whole = '';
  let completionTokens = 0;
  for (;;) {
    const { done, value } = await next();
    if (done) return;
    if (value.type === 'prompt') {
      reply.usage({ promptTokens: value.promptTokens, cachedTokens: value.cachedTokens, completionTokens });
    } else if (value.type === 'piece') {
      if (completionTokens === 0) deadlines.enter('idle');
      else deadlines.touch();
      completionTokens = value.completionTokens;
      reply.usage({ completionTokens });
      if (request.stream === false) {
        whole += value.text;
      } else if (value.text !== '') {
        reply.text(value.text);
        // No clock runs while the consumer takes its time; no token is made either.
        deadlines.pause();
        yield;
        deadlines.enter('idle');
      }
    } else {
      const { promptMs, generationMs, reason } = value;
      // The first token is the prompt's doing.
      const tokensPerSecond =
        completionTokens > 1 ? ((completionTokens - 1) / generationMs) * 1000 : undefined;
      reply.timings({
        promptMs,
        generationMs,
        ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
      });
      reply.text(whole);
      reply.finish(reason);
    }
  }
}

async function close(generated: AsyncIterator<Generated>): Promise<void> {
  try {
    await generated.return?.();
  } catch {
    // How it ended stands in the reply already.
  }
}
