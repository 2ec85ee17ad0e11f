// The floor of a server's consumer: undici's dispatch, lines, JSON.parse. No iteration, no checks, no endings.
import { StringDecoder } from 'node:string_decoder';

export async function bare({ url }, importPackage) {
  const { Agent } = await importPackage('undici');
  const agent = new Agent();
  return {
    complete: (...call) => complete(agent, url, ...call),
    close: () => agent.destroy(),
  };
}

function complete(agent, origin, prompt, maxTokens, signal) {
  const body = { prompt, n_predict: maxTokens, temperature: 0, stream: true, cache_prompt: false };
  const request = {
    origin,
    path: '/completion',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  return new Promise((resolve, reject) => {
    const decoder = new StringDecoder('utf8');
    const call = { startedAt: performance.now(), promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
    let rest = '';
    const read = frame => {
      if (frame.content) {
        call.lastAt = performance.now();
        call.firstAt ??= call.lastAt;
      }
      call.completionTokens = frame.tokens_predicted;
      if (frame.timings) Object.assign(call, factsOf(frame.timings));
    };
    agent.dispatch(request, {
      onRequestStart: controller => signal.addEventListener('abort', () => controller.abort(signal.reason)),
      onResponseStart() {},
      onResponseData(_controller, bytes) {
        const lines = (rest + decoder.write(bytes)).split('\n');
        rest = lines.pop();
        for (const line of lines) if (line.startsWith('data:')) read(JSON.parse(line.slice(5)));
      },
      onResponseEnd: () => resolve(call),
      onResponseError: (_controller, error) => (signal.aborted ? resolve(call) : reject(error)),
    });
  });
}

const factsOf = ({ cache_n, prompt_n, prompt_ms, predicted_ms }) => ({
  promptTokens: cache_n + prompt_n,
  cachedTokens: cache_n,
  promptMs: prompt_ms,
  generationMs: predicted_ms,
});
