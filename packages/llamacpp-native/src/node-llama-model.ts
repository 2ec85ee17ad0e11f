import { basename } from 'node:path';
import { AirframeError, isAirframeError } from '@x/airframe';
import type { Llama, LlamaContext, LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp';
import { ChatTemplate, compileJinja, type JinjaRender } from './chat-template.ts';
import type {
  ChatMessage,
  ChatPromptOptions,
  Embedding,
  Generated,
  GenerateOptions,
  Model,
  ModelFacts,
} from './engine.ts';
import { NodeLlamaEmbedder } from './node-llama-embedder.ts';
import { samplerOptions } from './node-llama-sampler.ts';
import { NodeLlamaVocabulary } from './node-llama-vocabulary.ts';
import { StopScanner } from './stop-scanner.ts';
import { TokenText } from './token-text.ts';

/** Tokens evaluated in one go, as llama-server's `--ubatch-size`: the same sums in the same order. */
export const BATCH_TOKENS = 512;

/** Each may be as large as the model's whole state; models that need none take none. */
const MAX_CHECKPOINTS = 4;

/** A model, one context and its one sequence, which keeps what the call before has left in it. */
export class NodeLlamaModel implements Model {
  readonly facts: ModelFacts;
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #context: LlamaContext;
  readonly #vocabulary: NodeLlamaVocabulary;
  readonly #embedder: NodeLlamaEmbedder;
  #sequence: LlamaContextSequence;
  #template: ChatTemplate | undefined;

  constructor(
    llama: Llama,
    model: LlamaModel,
    context: LlamaContext,
    given: { path: string; contextTokens: number; threads: number },
  ) {
    this.#llama = llama;
    this.#model = model;
    this.#context = context;
    this.#vocabulary = new NodeLlamaVocabulary(model);
    this.#sequence = newSequence(context);
    const { general, tokenizer } = model.fileInfo.metadata;
    this.facts = {
      ...given,
      name: general?.name || basename(given.path, '.gguf'),
      parameters: model.fileInsights.totalParameters,
      trainedContextTokens: model.trainContextSize,
      gpuLayers: model.gpuLayers,
      parallel: 1,
      ...(tokenizer?.chat_template ? { chatTemplate: tokenizer.chat_template } : {}),
    };
    this.#embedder = new NodeLlamaEmbedder(model, this.#vocabulary, this.facts);
  }

  chatPrompt(messages: readonly ChatMessage[], options: ChatPromptOptions = {}): string {
    const { chatTemplate, path } = this.facts;
    if (chatTemplate === undefined) {
      throw new AirframeError(
        'invalid_request',
        `${path} has no chat template (tokenizer.chat_template); send a prompt instead of messages, or use a chat model`,
      );
    }
    this.#template ??= new ChatTemplate(
      chatTemplate,
      this.#vocabulary.templateTokens(),
      nativeJinja(this.#llama),
    );
    return this.#template.render(messages, options.templateKwargs);
  }

  async *generate(options: GenerateOptions): AsyncGenerator<Generated, void, undefined> {
    const { signal } = options;
    signal.throwIfAborted();
    const prompt = this.#vocabulary.tokenize(options.prompt);
    this.#checkFit(prompt.length);
    const sampler = await samplerOptions(this.#llama, this.#model, options, prompt);
    const started = performance.now();
    try {
      const cachedTokens = await this.#reuse(prompt, options);
      yield { type: 'prompt', promptTokens: prompt.length, cachedTokens };
      const rest = await this.#evaluate(prompt.slice(cachedTokens), signal);
      const tokens = this.#sequence.evaluate(rest, sampler.options);
      yield* this.#read(tokens, options, prompt.length, sampler.accept, started);
    } catch (error) {
      // An abort between two evaluations leaves the sequence in order.
      if (error !== signal.reason) await this.#startAnew();
      throw failure(signal.aborted ? signal.reason : error);
    }
  }

  countTokens(prompt: string): number {
    return this.#vocabulary.tokenize(prompt).length;
  }

  embed(text: string): Promise<Embedding> {
    return this.#embedder.embed(text);
  }

  async dispose(): Promise<void> {
    await this.#embedder.dispose();
    await this.#context.dispose();
    await this.#model.dispose();
  }

  #checkFit(promptTokens: number): void {
    const { contextTokens, name } = this.facts;
    if (promptTokens === 0) throw new AirframeError('invalid_request', 'the prompt is empty');
    if (promptTokens < contextTokens) return;
    throw new AirframeError(
      'context_length',
      `the prompt has ${promptTokens} tokens, which leaves no room for an answer in ${name}'s context of ${contextTokens}`,
      { promptTokens, contextTokens, remedy: this.#roomier() },
    );
  }

  #roomier(): string {
    const { contextTokens, trainedContextTokens } = this.facts;
    if (contextTokens < trainedContextTokens)
      return "shorten it, or raise the endpoint's options.contextTokens";
    return `shorten it, or use a model trained for more than ${trainedContextTokens} tokens`;
  }

  /**
   * Drops from the sequence what does not begin like this prompt; returns how many tokens are left in it. The
   * last token is evaluated in any case: its logits are where the answer starts.
   *
   * A seed asks for the same answer again, and a dice shows what rounding hides: a prompt evaluated in other
   * portions differs in the last bits. So nothing is reused then.
   */
  async #reuse(prompt: Token[], { sampling }: GenerateOptions): Promise<number> {
    const repeatable = sampling.seed !== undefined && sampling.temperature > 0;
    // No shifting of tokens that come again later: they would remember what was in front of them.
    await this.#sequence.adaptStateToTokens(repeatable ? [] : prompt.slice(0, -1), false);
    return this.#sequence.nextTokenIndex;
  }

  /** Evaluates all batches but the last, which it returns. */
  async #evaluate(tokens: Token[], signal: AbortSignal): Promise<Token[]> {
    let at = 0;
    for (; tokens.length - at > BATCH_TOKENS; at += BATCH_TOKENS) {
      signal.throwIfAborted();
      await this.#sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(at, at + BATCH_TOKENS));
    }
    signal.throwIfAborted();
    return tokens.slice(at);
  }

  async *#read(
    tokens: AsyncIterable<Token>,
    { maxTokens, stop, signal }: GenerateOptions,
    promptTokens: number,
    accept: (token: Token) => void,
    started: number,
  ): AsyncGenerator<Generated, void, undefined> {
    // A full context ends the answer; shifting would silently drop the beginning of the chat.
    const limit = Math.min(maxTokens ?? Number.POSITIVE_INFINITY, this.facts.contextTokens - promptTokens);
    const scanner = new StopScanner(stop);
    const text = new TokenText<Token>(token => this.#vocabulary.bytes(token));
    let completionTokens = 0;
    let firstAt = 0;
    for await (const token of tokens) {
      signal.throwIfAborted();
      if (completionTokens === 0) {
        firstAt = performance.now();
        // Where the KV cache cannot be cut back (sliding windows, recurrent models) the next turn starts from here.
        await this.#sequence.takeCheckpoint();
      }
      completionTokens++;
      const ended = this.#model.isEogToken(token);
      const piece = ended ? { text: '', stopped: false } : scanner.push(text.push(token));
      const full = completionTokens >= limit;
      if ((ended || full) && !piece.stopped) piece.text += scanner.flush();
      yield { type: 'piece', text: piece.text, completionTokens };
      if (ended || piece.stopped || full) {
        const reason = ended || piece.stopped ? 'stop' : 'length';
        yield { type: 'end', reason, promptMs: firstAt - started, generationMs: performance.now() - firstAt };
        return;
      }
      accept(token);
    }
  }

  /** After a failed evaluation nobody knows what the KV cache holds. */
  async #startAnew(): Promise<void> {
    try {
      await this.#sequence.dispose();
      this.#sequence = newSequence(this.#context);
    } catch {
      // The context itself is gone; the next call says so.
    }
  }
}

function failure(error: unknown): AirframeError {
  if (isAirframeError(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AirframeError('backend', `llama.cpp failed while generating: ${reason}`, { cause: error });
}

function newSequence(context: LlamaContext): LlamaContextSequence {
  return context.getSequence({
    checkpoints: { max: MAX_CHECKPOINTS, interval: false },
    contextShift: {
      strategy: () => {
        throw new AirframeError('backend', 'the context is full: a shift was asked for');
      },
    },
  });
}

/** What the binding keeps to itself of llama.cpp's Jinja; it uses it where its JavaScript one cannot parse. */
interface NativeJinja {
  _bindings?: { AddonJinjaRenderer?: new (source: string) => { render(variables: object): string } };
}

/**
 * llama.cpp's own Jinja engine, so that prompts are llama-server's to the letter: of the 70 chat templates in its
 * source, the JavaScript engine refuses 8. Should a release of the binding move it, that one still serves.
 */
function nativeJinja(llama: Llama): (source: string) => JinjaRender {
  const Renderer = (llama as NativeJinja)._bindings?.AddonJinjaRenderer;
  if (!Renderer) return compileJinja;
  return source => {
    const template = new Renderer(source);
    return variables => template.render(variables);
  };
}
