// An adapter that is a package of its own, beside airframe.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { geminiAdapter } from '@x/adapter-gemini';
import { AirframeClient, withRetry } from '@x/airframe';

const EVENTS = [
  { candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'The sun ' }] } }] },
  {
    candidates: [
      { index: 0, content: { role: 'model', parts: [{ text: 'shines.' }] }, finishReason: 'STOP' },
    ],
  },
];

async function main(): Promise<void> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of EVENTS) response.write(`data: ${JSON.stringify(event)}\n\n`);
    response.end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const adapter = withRetry(geminiAdapter());
  const client = new AirframeClient({ adapters: [adapter] });
  const endpoint = { name: 'gemini', backendKind: adapter.kind, baseUrl, model: 'gemini-3-flash' };
  let line = '';
  for await (const event of client.streamInfer(endpoint, {
    messages: [{ role: 'user', content: 'Weather?' }],
  })) {
    if (event.type === 'token') line += event.text;
    if (event.type === 'error') line += event.error.message;
    if (event.type === 'done') line += `|${event.finishReason}`;
  }
  console.log(`${line}|${adapter.kind}`);
  await client.close();
  server.close();
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
