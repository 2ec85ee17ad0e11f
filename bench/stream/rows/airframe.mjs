import { TOOL } from '../workload.mjs';

const messages = [{ role: 'user', content: 'Go.' }];

/** @param adapterOf makes the adapter, from the package */
const row = (backendKind, path, adapterOf) => (baseUrl, airframe, kind) => {
  const adapter = adapterOf(airframe);
  const endpoint = { name: 'bench', backendKind, baseUrl: baseUrl + path, model: 'bench', apiKey: 'none' };
  const request = kind === 'tools' ? { messages, tools: [TOOL] } : { messages };
  return async () => {
    const received = { events: 0, chars: 0 };
    const add = piece => {
      received.events++;
      received.chars += piece.length;
    };
    for await (const event of adapter.streamInfer(endpoint, request)) {
      if (event.type === 'token') add(event.text);
      else if (event.type === 'tool_call_delta' && event.argumentsDelta) add(event.argumentsDelta);
      else if (event.type === 'error') throw event.error;
    }
    return received;
  };
};

export const openaiChat = row('openai_chat', '/v1', ({ openAIChatAdapter }) => openAIChatAdapter());

export const withRetry = row('openai_chat', '/v1', ({ openAIChatAdapter, withRetry }) =>
  withRetry(openAIChatAdapter()),
);

export const anthropic = row('anthropic_messages', '', ({ anthropicMessagesAdapter }) =>
  anthropicMessagesAdapter(),
);
