import { openAIError } from '../openai-error.ts';
import type { Protocol } from '../protocol.ts';
import { readCompletions } from './request.ts';

/** OpenAI's older Completions: text to be gone on with. */
export const openAICompletions: Protocol = {
  name: 'openai-completions',
  path: '/v1/completions',
  read: readCompletions,
  refusal: openAIError,
};
