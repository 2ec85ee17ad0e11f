/**
 * The port to whatever runs llama.cpp in this process. The adapter knows this and nothing else, so that a
 * binding can be exchanged for another. Everything fails with an AirframeError.
 */
export interface Engine {
  /** Loads a model. The file has been looked at: it is there and begins like a GGUF file. */
  load(options: LoadOptions): Promise<Model>;
  /** What its models can do besides generating; the adapter's manifest says so. Absent: nothing. */
  readonly abilities?: readonly ('embed' | 'countTokens')[];
}

/** Context of a model that says nothing else, in tokens. More is a decision: KV memory grows with it. */
const DEFAULT_CONTEXT_TOKENS = 4096;

/** Tokens a prompt and its answer may have together, as far as is known how the model was trained. */
export function usableContext(asked: number = DEFAULT_CONTEXT_TOKENS, trained: number = asked): number {
  return Math.min(asked, trained);
}

/** Which model is loaded, and how. */
export interface LoadOptions {
  /** Absolute path of a GGUF file. */
  path: string;
  /** Tokens a prompt and its answer may have together. Default: as trained, at most 4,096. Never more than trained. */
  contextTokens?: number | undefined;
  /** Layers to put on the GPU. Default 0: the CPU does it all. */
  gpuLayers?: number | undefined;
  /** Default: see threads.ts. */
  threads?: number | undefined;
  /** Requests it works on at once. Only the engine `core` does more than one. Default 4. */
  parallel?: number | undefined;
  /** Path of the projector that makes tokens of images. Only the engine `core` takes one. */
  mmproj?: string | undefined;
  /** Most memory for prompts that are in no sequence any more, in MiB. Only the engine `core` has it. Default 512. */
  promptCacheMiB?: number | undefined;
  /** Loaded to make vectors of texts, not to generate. Only the engine `core` loads a model for that. */
  embedding?: boolean | undefined;
  /** Gives up loading. */
  signal?: AbortSignal | undefined;
  /** How much is loaded, 0 to 1. */
  onProgress?: ((fraction: number) => void) | undefined;
}

/** A loaded model. */
export interface Model {
  readonly facts: ModelFacts;
  /**
   * The prompt for a chat, through the model's own template.
   * @throws AirframeError invalid_request: there is no template, or it refuses the messages
   */
  chatPrompt(messages: readonly ChatMessage[], options?: ChatPromptOptions): string;
  /**
   * Generates on demand: a token is made when the reader asks for it. No more than `facts.parallel` at a time.
   * Leaving the iteration ends it; one evaluation that has begun is finished first.
   */
  generate(options: GenerateOptions): AsyncIterable<Generated>;
  /** Tokens of a prompt, as {@link generate} counts them. */
  countTokens?(prompt: string): number;
  /**
   * The vector of a text. In turn with generations: it takes their threads.
   * @throws AirframeError context_length, or backend: the model makes none
   */
  embed?(text: string): Promise<Embedding>;
  /** Frees the memory. Only when nothing is being generated. */
  dispose(): Promise<void>;
}

/** The vector of one text. */
export interface Embedding {
  /** Of length 1. */
  vector: number[];
  /** Tokens of the text. */
  tokens: number;
}

/** What the file of a model says of it. */
export interface ModelFacts {
  /** `general.name` of the file, else the file's name. */
  name: string;
  path: string;
  parameters: number;
  contextTokens: number;
  /** Tokens of context the model was trained with. */
  trainedContextTokens: number;
  threads: number;
  gpuLayers: number;
  /** Generations it can work on at once. */
  parallel: number;
  /** The Jinja source, when the file has one. */
  chatTemplate?: string;
}

/** A message in the shape that chat templates read. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string | { type: 'text'; text: string }[];
  reasoning_content?: string;
}

/** What a chat template gets beside the messages. */
export interface ChatPromptOptions {
  /** Further variables for the template, e.g. `enable_thinking`. */
  templateKwargs?: Record<string, unknown> | undefined;
}

/** llama.cpp's sampling parameters, all of them decided. */
export interface Sampling {
  /** 0: always the likeliest token. */
  temperature: number;
  /** 0: off. */
  topK: number;
  /** 1: off. */
  topP: number;
  /** 0: off. */
  minP: number;
  /** 1: off. */
  repeatPenalty: number;
  /** Tokens back that are penalised, the prompt's included. */
  repeatLastN: number;
  /** Absent: another one each time. Given: the same answer each time, for which the whole prompt is evaluated. */
  seed?: number | undefined;
}

/** What the answer has to look like: a GBNF grammar, any JSON, or JSON of a schema. */
export type Grammar = { gbnf: string } | { json: true } | { jsonSchema: Record<string, unknown> };

/** One generation. */
export interface GenerateOptions {
  prompt: string;
  sampling: Sampling;
  maxTokens?: number | undefined;
  stop: readonly string[];
  grammar?: Grammar | undefined;
  /** Ends the generation within one token, and prompt evaluation within one batch, with the signal's reason. */
  signal: AbortSignal;
}

/** Comes in this order: one `prompt`, any number of `piece`, one `end`. */
export type Generated =
  | {
      type: 'prompt';
      promptTokens: number;
      /** Tokens at the beginning of the prompt that need not be evaluated again. */
      cachedTokens: number;
    }
  | {
      type: 'piece';
      /** May be empty: half a character, or what may become a stop sequence, is held back. */
      text: string;
      /** Tokens generated so far. */
      completionTokens: number;
    }
  | {
      type: 'end';
      /** `stop`: the model or a stop sequence ended it. `length`: maxTokens, or the context is full. */
      reason: 'stop' | 'length';
      promptMs: number;
      generationMs: number;
    };
