// Transport alone: a backend that is overloaded once, then streams.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AirframeClient, openAIChatAdapter, withRetry } from '@x/airframe';

const EVENTS = [
  { choices: [{ index: 0, delta: { content: 'It ' } }] },
  { choices: [{ index: 0, delta: { content: 'rains.' } }] },
  { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  { choices: [], usage: { prompt_tokens: 6, completion_tokens: 3, total_tokens: 9 } },
];

async function main(): Promise<void> {
  let calls = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (++calls === 1) {
      response.writeHead(503).end('{"error":{"message":"overloaded"}}');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of EVENTS) response.write(`data: ${JSON.stringify(event)}\n\n`);
    response.end('data: [DONE]\n\n');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new AirframeClient({ adapters: [withRetry(openAIChatAdapter(), { baseDelayMs: 1 })] });
  const endpoint = { name: 'local', backendKind: 'openai_chat', baseUrl, model: 'm' };
  let line = '';
  for await (const event of client.streamInfer(endpoint, {
    messages: [{ role: 'user', content: 'Weather?' }],
  })) {
    if (event.type === 'token') line += event.text;
    if (event.type === 'error') line += event.error.message;
    if (event.type === 'done') {
      const { finishReason, usage, attempts } = event;
      line += `|${finishReason}|${usage.totalTokens} tokens|${attempts.length} attempts`;
    }
  }
  console.log(line);
  await client.close();
  server.close();
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
