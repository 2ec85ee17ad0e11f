import type { InferenceRequest, Message } from '@x/airframe';
import { countOf } from './price.ts';

/** How much a request asks for, before it is sent. */
export interface RequestSize {
  /** Tokens of the prompt, images and tools included, where they have been counted. */
  promptTokens?: number;
  /** Else: characters of the prompt, tools and schema included; outside ASCII one counts as its UTF-8 bytes. */
  promptChars?: number;
  /** Else: images in the prompt. */
  images?: number;
  /** Upper bound on generated tokens, reasoning included. Default 4096, for want of a bound. */
  maxTokens?: number | undefined;
  /** `1h`: what the prompt writes to the cache is kept, and paid for, as long. */
  cacheTtl?: '5m' | '1h' | undefined;
}

/** What a request may cost at most. */
export interface CostEstimate {
  promptTokens: number;
  completionTokens: number;
  costUsd: number;
  /** false: nobody knows the price, and `costUsd` is 0 for want of one. */
  priced: boolean;
}

/**
 * Measured a byte with o200k_base and cl100k_base: English and German 0.21 to 0.26, code and JSON up to 0.36, Chinese,
 * Japanese, Korean, Russian, Hindi and Arabic up to 0.43. Only UUIDs, hex and emoji go beyond (0.45 to 0.7).
 */
const TOKENS_PER_CHAR = 0.5;

/** Vendors scale images down to at most 1,500 to 5,000 tokens (general knowledge, 2026). */
const TOKENS_PER_IMAGE = 5_000;

/** Where an image costs more: 2,833 tokens and 5,667 for each of up to 8 tiles (OpenAI's vision guide). */
const TOKENS_PER_IMAGE_BY_MODEL: readonly [RegExp, number][] = [[/^gpt-4o-mini/, 48_169]];

const DEFAULT_MAX_TOKENS = 4_096;

/** What a chat template puts around a message. */
const CHARS_PER_MESSAGE = 20;

/** What a backend tells a model about tools as such; Anthropic's take 300 to 800 tokens (general knowledge). */
const CHARS_FOR_TOOLS = 2_000;

/** Tokens that a request may use at most. */
export function tokensOfSize(
  model: string,
  size: RequestSize,
): Pick<CostEstimate, 'promptTokens' | 'completionTokens'> {
  const { promptTokens, promptChars, images, maxTokens = DEFAULT_MAX_TOKENS } = size;
  const perImage = images ? tokensPerImage(model) : 0;
  const guessed = Math.ceil(countOf(promptChars) * TOKENS_PER_CHAR) + countOf(images) * perImage;
  return { promptTokens: countOf(promptTokens ?? guessed), completionTokens: countOf(maxTokens) };
}

function tokensPerImage(model: string): number {
  return TOKENS_PER_IMAGE_BY_MODEL.find(([pattern]) => pattern.test(model))?.[1] ?? TOKENS_PER_IMAGE;
}

/**
 * The size of a request for {@link CostCalculator.estimateRequest}: texts, tool calls and thinking of all messages,
 * tools, the schema of the answer, images by number. What `extra` adds is not in it.
 */
export function sizeOfRequest(request: InferenceRequest): RequestSize {
  const { tools, responseFormat, maxTokens, promptCache, prompt, messages } = request;
  let bytes = prompt ? Buffer.byteLength(prompt) : 0;
  let images = 0;
  for (const message of messages ?? NONE) {
    bytes += bytesOf(message) + CHARS_PER_MESSAGE;
    images += imagesOf(message);
  }
  if (tools?.length) bytes += Buffer.byteLength(JSON.stringify(tools)) + CHARS_FOR_TOOLS;
  if (responseFormat) bytes += Buffer.byteLength(JSON.stringify(responseFormat));
  return { promptChars: bytes, images, maxTokens, cacheTtl: promptCache?.ttl };
}

const NONE: readonly Message[] = [];

function bytesOf(message: Message): number {
  const { content } = message;
  let bytes = 0;
  if (typeof content === 'string') bytes = Buffer.byteLength(content);
  else for (const part of content) bytes += part.type === 'text' ? Buffer.byteLength(part.text) : 0;
  if (message.role !== 'assistant') return bytes;
  // A signature stands for the thinking, which the backend puts back in its place.
  for (const { text, signature = '' } of message.reasoning ?? [])
    bytes += Buffer.byteLength(text || signature);
  for (const { name, arguments: args } of message.toolCalls ?? []) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(args);
  }
  return bytes;
}

function imagesOf({ content }: Message): number {
  return typeof content === 'string' ? 0 : content.filter(part => part.type === 'image').length;
}
