import type { InferenceRequest, Message } from '@x/airframe';

/** Characters of one block. A shared prefix is known to this grain. */
export const BLOCK_CHARS = 256;

/** Tokens a character stands for where nobody has counted; as in `CostCalculator.estimateCost`. */
export const TOKENS_PER_CHAR = 0.25;

/** What a router knows of a prompt: enough to tell how much of it a node has seen before, and no content. */
export interface PromptPrefix {
  /** One hash for each full block; each stands for the text from the beginning to the block's end. */
  readonly hashes: readonly number[];
  /** Tokens of the whole prompt, estimated. */
  readonly tokens: number;
}

/** Data URLs may have megabytes; two images that agree in this many characters at both ends are the same to us. */
const IMAGE_CHARS = 128;

/**
 * The prefix of a request's prompt. A history that only grows keeps all its hashes, so tools come first, as they do
 * in chat templates, and what is not part of the prompt (sampling, limits) does not count.
 */
export function promptPrefix(
  request: Pick<InferenceRequest, 'messages' | 'prompt' | 'tools' | 'model'>,
): PromptPrefix {
  const { messages = [], prompt, tools = [], model = '' } = request;
  if (prompt !== undefined) return prefixOfText(prompt, model);
  const parts = tools.map(tool => `\u0001tool ${JSON.stringify(tool)}`);
  for (const message of messages) parts.push(`\u0001${message.role} ${textOf(message)}`);
  return prefixOfText(parts.join(''), model);
}

/** @param model a cache of one model is of no use to another */
export function prefixOfText(text: string, model = ''): PromptPrefix {
  const hashes: number[] = [];
  let high = 0x2545f491;
  let low = 0x9e3779b9;
  // Two independent 32-bit lanes. Each runs on from block to block, which is what chains the hashes.
  const take = (code: number) => {
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low + code, 0x5bd1e995);
    low ^= low >>> 15;
  };
  for (let at = 0; at < model.length; at++) take(model.charCodeAt(at));
  for (let at = 0; at < text.length; at++) {
    take(text.charCodeAt(at));
    if ((at + 1) % BLOCK_CHARS === 0) hashes.push((high >>> 11) * 2 ** 32 + (low >>> 0));
  }
  return { hashes, tokens: Math.ceil(text.length * TOKENS_PER_CHAR) };
}

function textOf(message: Message): string {
  switch (message.role) {
    case 'system':
      return message.content;
    case 'tool':
      return `${message.toolCallId} ${message.content}`;
    case 'user':
      if (typeof message.content === 'string') return message.content;
      return message.content.map(part => (part.type === 'text' ? part.text : imageText(part.url))).join('');
    case 'assistant': {
      const calls = message.toolCalls?.map(call => `\u0001call ${call.id} ${call.name} ${call.arguments}`);
      return message.content + (calls?.join('') ?? '');
    }
  }
}

function imageText(url: string): string {
  if (url.length <= 2 * IMAGE_CHARS) return url;
  return `${url.slice(0, IMAGE_CHARS)}${url.length}${url.slice(-IMAGE_CHARS)}`;
}
