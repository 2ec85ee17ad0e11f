import { openAIError } from '../openai-error.ts';
import type { Protocol } from '../protocol.ts';
import { readResponses } from './request.ts';

/** OpenAI's Responses API without its state: nothing is stored, and tools that OpenAI runs itself are refused. */
export const openAIResponses: Protocol = {
  name: 'openai-responses',
  path: '/v1/responses',
  read: readResponses,
  refusal: openAIError,
};
