import { TOOL } from '../workload.mjs';

export const row = (baseUrl, { OpenAI }, kind) => {
  const client = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: 'none' });
  const request = { model: 'bench', stream: true, messages: [{ role: 'user', content: 'Go.' }] };
  if (kind === 'tools') request.tools = [{ type: 'function', function: TOOL }];
  return async () => {
    const received = { events: 0, chars: 0 };
    for await (const chunk of await client.chat.completions.create(request)) {
      const delta = chunk.choices[0]?.delta;
      const piece = delta?.content || delta?.tool_calls?.[0].function?.arguments;
      if (!piece) continue;
      received.events++;
      received.chars += piece.length;
    }
    return received;
  };
};
