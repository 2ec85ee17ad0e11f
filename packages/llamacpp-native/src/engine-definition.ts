import type { AdapterDefinition, Call as BaseCall, Reply } from '@x/airframe';
import type { LlamaCppAdapterOptions } from './adapter.ts';
import { CLOSED, healthOf, idleUnloadMs, listModel, memberOptions, modelKey } from './endpoint-models.ts';
import type { Engine, Generated } from './engine.ts';
import { type LoadedModel, poolOf } from './loaded-model.ts';
import { countTokens, embed, promptText } from './operations.ts';
import { PoolMember, type Use } from './pool-member.ts';
import { processEngine, processLog } from './process-engine.ts';
import { type LlamaCppExtra, type PlainRequest, readRequest } from './request.ts';
import { constrained } from './tools/constrained.ts';
import { followedSchema } from './tools/followed-schema.ts';
import { plainRequest } from './tools/plain-request.ts';
import { Interrupt } from './turns.ts';

type Call = BaseCall<PlainRequest>;

/** An adapter over an engine that generates a token when it is asked for one. */
export function engineDefinition(
  engine: Engine,
  options: LlamaCppAdapterOptions,
): AdapterDefinition<LlamaCppExtra> {
  const { abilities = [] } = engine;
  const { onLog } = options;
  const stopLog = engine === processEngine && onLog ? processLog.add(onLog) : () => {};
  const models = new PoolMember(poolOf(engine), memberOptions(options));
  const use: UseModel = ({ endpoint, signal }) =>
    models.use(modelKey(endpoint), { signal, idleUnloadMs: idleUnloadMs(endpoint, options) });
  return {
    kind: 'llamacpp_native',
    capabilities: {
      streaming: true,
      rawPrompt: true,
      tools: true,
      images: false,
      reasoning: false,
      jsonSchema: true,
      seed: true,
    },
    infer: constrained((call, reply) => infer(call, reply, use), followedSchema),
    health: endpoint => healthOf(models, endpoint),
    ...(abilities.includes('embed')
      ? { embed: call => withModel(call, use, model => embed(model, call.request, call.signal)) }
      : {}),
    ...(abilities.includes('countTokens')
      ? {
          countTokens: call => {
            const request = readRequest(plainRequest(call.request, followedSchema));
            return withModel(call, use, async model => countTokens(model, request));
          },
        }
      : {}),
    listModels: listModel,
    close: async () => {
      await models.close(CLOSED);
      stopLog();
    },
  };
}

/** Waits for the model of a call. */
type UseModel = (call: Pick<Call, 'endpoint' | 'signal'>) => Promise<Use<LoadedModel>>;

async function withModel<T>(
  call: Pick<Call, 'endpoint' | 'signal' | 'deadlines'>,
  use: UseModel,
  work: (model: LoadedModel) => Promise<T>,
): Promise<T> {
  call.deadlines.enter('headers');
  const used = await use(call);
  try {
    return await work(used.model);
  } finally {
    used.done();
  }
}

async function* infer(call: Call, reply: Reply, use: UseModel): AsyncGenerator<void> {
  const request = readRequest(call.request);
  // Loading, queueing and reading the prompt are what headers are waited for elsewhere.
  call.deadlines.enter('headers');
  const used = await use(call);
  const interrupt = new Interrupt(call.signal);
  let ended: Promise<void> | undefined;
  try {
    const { model, turns } = used.model;
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
      ended = close(generated).then(endTurn);
    }
  } finally {
    interrupt.dispose();
    void Promise.resolve(ended).then(used.done);
  }
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
