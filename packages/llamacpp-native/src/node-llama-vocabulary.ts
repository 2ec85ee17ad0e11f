import type { LlamaModel, Token } from 'node-llama-cpp';
import type { TemplateTokens } from './chat-template.ts';
import { type TokenClass, type TokenSpelling, tokenBytes } from './token-text.ts';

/** BPE vocabularies that mark spaces instead of spelling bytes (llama.cpp v0.5.0, `escape_whitespaces`). */
const BPE_WITH_MARKED_SPACES: ReadonlySet<string> = new Set([
  'gemma4',
  'granite-embed-multi-311m',
  'sarvam-moe',
]);

/** Text to tokens and back, as llama-server does both. */
export class NodeLlamaVocabulary {
  readonly #model: LlamaModel;
  readonly #texts: readonly string[];
  readonly #spelling: TokenSpelling | undefined;
  readonly #bytes = new Map<Token, Uint8Array>();

  constructor(model: LlamaModel) {
    this.#model = model;
    const ggml = model.fileInfo.metadata.tokenizer?.ggml;
    this.#texts = ggml?.tokens ?? [];
    this.#spelling = spelling(ggml?.model, ggml?.pre);
  }

  /** Special tokens in the text count as such. BOS and EOS are added if the model says so; BOS never twice. */
  tokenize(text: string): Token[] {
    const { tokens } = this.#model;
    const result = this.#model.tokenize(text, true);
    if (tokens.shouldPrependBosToken && tokens.bos !== null && result[0] !== tokens.bos)
      result.unshift(tokens.bos);
    if (tokens.shouldAppendEosToken && tokens.eos !== null) result.push(tokens.eos);
    return result;
  }

  bytes(token: Token): Uint8Array {
    let bytes = this.#bytes.get(token);
    if (!bytes) {
      bytes = this.#look(token);
      this.#bytes.set(token, bytes);
    }
    return bytes;
  }

  templateTokens(): TemplateTokens {
    const { tokens } = this.#model;
    return {
      bos: tokens.bosString ?? '',
      eos: tokens.eosString ?? '',
      addsBos: tokens.shouldPrependBosToken,
      addsEos: tokens.shouldAppendEosToken,
    };
  }

  #look(token: Token): Uint8Array {
    const text = this.#texts[token];
    if (text === undefined || this.#spelling === undefined)
      return Buffer.from(this.#model.detokenize([token]));
    return tokenBytes(this.#spelling, this.#sort(token), text);
  }

  #sort(token: Token): TokenClass {
    const attributes = this.#model.getTokenAttributes(token);
    if (attributes.control || attributes.unknown) return 'control';
    if (attributes.userDefined) return 'user-defined';
    return attributes.byte ? 'byte' : 'normal';
  }
}

/** By `tokenizer.ggml.model`; absent for those that spell in ways of their own, such as RWKV. */
function spelling(model: string | undefined, pre: string | undefined): TokenSpelling | undefined {
  if (model === 'gpt2')
    return pre !== undefined && BPE_WITH_MARKED_SPACES.has(pre) ? 'spaces-marked' : 'byte-level';
  return model === 'llama' || model === 'gemma4' || model === 't5' ? 'spaces-marked' : undefined;
}
