import { AirframeError } from '@x/airframe';
import type { LlamaEmbeddingContext, LlamaModel } from 'node-llama-cpp';
import type { Embedding, ModelFacts } from './engine.ts';
import type { NodeLlamaVocabulary } from './node-llama-vocabulary.ts';

/** Vectors for texts, in a context of their own that is made at the first text. */
export class NodeLlamaEmbedder {
  readonly #model: LlamaModel;
  readonly #vocabulary: NodeLlamaVocabulary;
  readonly #facts: ModelFacts;
  #context: Promise<LlamaEmbeddingContext> | undefined;

  constructor(model: LlamaModel, vocabulary: NodeLlamaVocabulary, facts: ModelFacts) {
    this.#model = model;
    this.#vocabulary = vocabulary;
    this.#facts = facts;
  }

  /** @throws AirframeError context_length, or backend: the model makes no vectors */
  async embed(text: string): Promise<Embedding> {
    const tokens = this.#vocabulary.tokenize(text);
    this.#checkFit(tokens.length);
    try {
      const context = await this.#contextOf();
      const { vector } = await context.getEmbeddingFor(tokens);
      return { vector: normalized(vector), tokens: tokens.length };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const { name } = this.#facts;
      throw new AirframeError('backend', `${name} makes no vector: ${reason}`, { cause: error });
    }
  }

  /** Only when nothing is being embedded. */
  async dispose(): Promise<void> {
    await (await this.#context)?.dispose();
  }

  #contextOf(): Promise<LlamaEmbeddingContext> {
    const { contextTokens, threads } = this.#facts;
    // Vectors of all tokens are pooled within one batch.
    const options = { contextSize: contextTokens, batchSize: contextTokens, threads };
    this.#context ??= this.#model.createEmbeddingContext(options).catch(error => {
      this.#context = undefined;
      throw error;
    });
    return this.#context;
  }

  #checkFit(promptTokens: number): void {
    const { contextTokens, name } = this.#facts;
    if (promptTokens === 0) throw new AirframeError('invalid_request', 'a text to embed has no tokens');
    if (promptTokens < contextTokens) return;
    const problem = `a text to embed has ${promptTokens} tokens, too many for ${name}'s context of ${contextTokens}`;
    throw new AirframeError('context_length', problem, { promptTokens, contextTokens });
  }
}

/** Of length 1, as llama-server gives them. */
function normalized(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return length > 0 ? vector.map(value => value / length) : [...vector];
}
