import { TOOL } from '../workload.mjs';

export const row = (baseURL, { Anthropic }, kind) => {
  const client = new Anthropic({ baseURL, apiKey: 'none' });
  const messages = [{ role: 'user', content: 'Go.' }];
  const request = { model: 'bench', max_tokens: 100_000, stream: true, messages };
  if (kind === 'tools') {
    request.tools = [{ name: TOOL.name, description: TOOL.description, input_schema: TOOL.parameters }];
  }
  return async () => {
    const received = { events: 0, chars: 0 };
    for await (const event of await client.messages.create(request)) {
      if (event.type !== 'content_block_delta') continue;
      const piece = event.delta.text || event.delta.partial_json;
      if (!piece) continue;
      received.events++;
      received.chars += piece.length;
    }
    return received;
  };
};
