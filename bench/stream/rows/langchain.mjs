import { TOOL } from '../workload.mjs';

export const row = (baseUrl, { ChatOpenAI }, kind) => {
  const chat = new ChatOpenAI({
    model: 'bench',
    apiKey: 'none',
    configuration: { baseURL: `${baseUrl}/v1` },
  });
  const model = kind === 'tools' ? chat.bindTools([{ type: 'function', function: TOOL }]) : chat;
  return async () => {
    const received = { events: 0, chars: 0 };
    for await (const chunk of await model.stream('Go.')) {
      const piece = chunk.content || chunk.tool_call_chunks?.[0]?.args;
      if (!piece) continue;
      received.events++;
      received.chars += piece.length;
    }
    return received;
  };
};
