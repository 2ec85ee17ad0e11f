import { openAIError } from '../openai-error.ts';
import type { Protocol } from '../protocol.ts';
import { readChat } from './request.ts';

/** OpenAI's Chat Completions. */
export const openAIChat: Protocol = {
  name: 'openai-chat',
  path: '/v1/chat/completions',
  read: readChat,
  refusal: openAIError,
};
