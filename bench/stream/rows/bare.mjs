// The floor: undici's dispatch, lines, JSON.parse, one field. No iteration, no checks, no endings.
import { StringDecoder } from 'node:string_decoder';

/** @param read what an event's JSON says: its piece of the reply, if it holds one */
const bare =
  (path, read) =>
  (baseUrl, { Agent }) => {
    const agent = new Agent();
    const { origin, pathname } = new URL(baseUrl);
    const body = JSON.stringify({
      model: 'bench',
      stream: true,
      messages: [{ role: 'user', content: 'Go.' }],
    });
    const request = {
      origin,
      path: `${pathname}${path}`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    };
    return () =>
      new Promise((resolve, reject) => {
        const received = { events: 0, chars: 0 };
        const decoder = new StringDecoder('utf8');
        let rest = '';
        agent.dispatch(request, {
          onRequestStart() {},
          onResponseStart() {},
          onResponseData(_controller, bytes) {
            const lines = (rest + decoder.write(bytes)).split('\n');
            rest = lines.pop();
            for (const line of lines) {
              if (!line.startsWith('data:') || line === 'data: [DONE]') continue;
              const piece = read(JSON.parse(line.slice(5)));
              if (!piece) continue;
              received.events++;
              received.chars += piece.length;
            }
          },
          onResponseEnd: () => resolve(received),
          onResponseError: (_controller, error) => reject(error),
        });
      });
  };

export const openai = bare('/v1/chat/completions', chunk => {
  const delta = chunk.choices[0]?.delta;
  return delta?.content || delta?.tool_calls?.[0].function.arguments;
});

export const anthropic = bare('/v1/messages', ({ delta }) => delta?.text || delta?.partial_json);
