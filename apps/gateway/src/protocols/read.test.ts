import { expect, it } from 'vitest';
import { readMessages } from './anthropic-messages/request.ts';
import { readChat } from './openai-chat/request.ts';

const messages = [{ role: 'user', content: 'Hi' }];

it.each<[string, () => unknown, string]>([
  ['that is missing', () => readChat({}), 'messages: is missing; give a list'],
  [
    'of another type',
    () => readChat({ messages, model: 5 }),
    'model: is of the wrong type; give a text (got 5)',
  ],
  ['that Anthropic wants', () => readMessages({ messages }), 'max_tokens: is missing; give a number'],
  ['that is the body itself', () => readChat([]), 'is of the wrong type; give an object'],
])('tells what to do about a field %s', (_, read, message) => {
  expect(read).toThrow(message);
});
