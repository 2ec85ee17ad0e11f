import {
  AirframeError,
  type EmbedRequest,
  type EmbedResult,
  type ModelInfo,
  type TokenCount,
} from '@x/airframe';
import { type Model, usableContext } from './engine.ts';
import type { LoadedModel } from './loaded-model.ts';
import { type ModelFile, readModelFile } from './model-file.ts';
import type { ReadRequest } from './request.ts';

/** A model as `listModels` gives it: with what its file says. */
export interface LlamaCppModelInfo extends ModelInfo, Omit<ModelFile, 'name' | 'path' | 'kvLayers'> {}

/** What a request asks the model to go on from. */
export function promptText(model: Model, { prompt, templateKwargs }: ReadRequest): string {
  return typeof prompt === 'string' ? prompt : model.chatPrompt(prompt, { templateKwargs });
}

/** Vectors for texts, one after the other, in turn with other calls. @throws AirframeError */
export async function embed(
  { model, turns }: LoadedModel,
  request: EmbedRequest,
  signal: AbortSignal,
): Promise<EmbedResult> {
  if (!model.embed) throw unsupported(model, 'make vectors');
  const [unknown] = Object.keys(request.extra ?? {});
  if (unknown !== undefined) throw unsupported(model, `heed extra.${unknown} when it embeds`);
  const embeddings: number[][] = [];
  let promptTokens = 0;
  const endTurn = await turns.take(signal);
  try {
    for (const text of [request.input].flat()) {
      signal.throwIfAborted();
      const { vector, tokens } = await model.embed(text);
      const { dimensions = vector.length } = request;
      if (dimensions !== vector.length) {
        throw unsupported(model, `make vectors of ${dimensions} dimensions, only of ${vector.length}`);
      }
      embeddings.push(vector);
      promptTokens += tokens;
    }
  } finally {
    endTurn();
  }
  const usage = { promptTokens, completionTokens: 0, totalTokens: promptTokens, source: 'reported' as const };
  return { embeddings, model: model.facts.name, usage };
}

/** The tokens of what would be generated from. @throws AirframeError */
export function countTokens({ model }: LoadedModel, request: ReadRequest): TokenCount {
  if (!model.countTokens) throw unsupported(model, 'count tokens');
  return { tokens: model.countTokens(promptText(model, request)), exact: true };
}

/**
 * What a file says of its model, which need not be loaded for it.
 * @param contextTokens the endpoint's
 * @throws AirframeError as `readModelFile` does
 */
export async function modelInfo(path: string, contextTokens?: number): Promise<LlamaCppModelInfo> {
  const { name, path: _, kvLayers: __, ...facts } = await readModelFile(path);
  return { id: name, contextTokens: usableContext(contextTokens, facts.trainedContextTokens), ...facts };
}

function unsupported(model: Model, what: string): AirframeError {
  return new AirframeError('invalid_request', `${model.facts.name} in this process does not ${what}`, {
    code: 'unsupported',
  });
}
