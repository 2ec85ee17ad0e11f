import { TOOL } from '../workload.mjs';

export const row = (baseUrl, { streamText, tool, jsonSchema, createOpenAICompatible }, kind) => {
  const provider = createOpenAICompatible({ name: 'bench', baseURL: `${baseUrl}/v1`, apiKey: 'none' });
  const request = { model: provider('bench'), prompt: 'Go.' };
  if (kind === 'tools') {
    const inputSchema = jsonSchema(TOOL.parameters);
    request.tools = { [TOOL.name]: tool({ description: TOOL.description, inputSchema }) };
  }
  return async () => {
    const received = { events: 0, chars: 0 };
    const add = piece => {
      received.events++;
      received.chars += piece.length;
    };
    const result = streamText(request);
    if (kind !== 'tools') {
      for await (const text of result.textStream) add(text);
      return received;
    }
    for await (const part of result.fullStream) {
      if (part.type === 'tool-input-delta') add(part.delta);
      else if (part.type === 'error') throw part.error;
    }
    return received;
  };
};
