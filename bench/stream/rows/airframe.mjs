import { TOOL } from '../workload.mjs';

const messages = [{ role: 'user', content: 'Go.' }];

/** @param adapterOf makes the adapter, from what the package exports */
const row = (endpointOf, adapterOf) => (baseUrl, airframe, kind) => {
  const adapter = adapterOf(airframe);
  const endpoint = { name: 'bench', model: 'bench', apiKey: 'none', ...endpointOf(baseUrl) };
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

const openai = baseUrl => ({
  backendKind: 'openai_chat',
  baseUrl: `${baseUrl}/v1`,
  // Of an unknown server the adapter assumes that it closes its connections.
  options: { profile: 'openai' },
});

export const openaiChat = row(openai, ({ openAIChatAdapter }) => openAIChatAdapter());

export const withRetry = row(openai, ({ openAIChatAdapter, withRetry }) => withRetry(openAIChatAdapter()));

export const anthropic = row(
  baseUrl => ({ backendKind: 'anthropic_messages', baseUrl }),
  ({ anthropicMessagesAdapter }) => anthropicMessagesAdapter(),
);
