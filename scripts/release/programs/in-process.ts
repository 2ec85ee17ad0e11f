// llama.cpp in this process, from the binary that the registry has: nothing is compiled.
import { pathToFileURL } from 'node:url';
import { llamaCppAdapter } from '@x/llamacpp-native';

async function main(): Promise<void> {
  const [, , model = ''] = process.argv;
  const engine = 'node-llama-cpp';
  const adapter = llamaCppAdapter({ engine });
  const endpoint = {
    name: 'here',
    backendKind: 'llamacpp_native',
    baseUrl: pathToFileURL(model).href,
    options: { contextTokens: 512, threads: 1 },
  };
  let line = '';
  const messages = [{ role: 'user' as const, content: 'What is 2+2?' }];
  for await (const event of adapter.streamInfer(endpoint, { messages, temperature: 0, maxTokens: 40 })) {
    if (event.type === 'token') line += event.text;
    if (event.type === 'error') line += event.error.message;
    if (event.type === 'done') line += `|${event.finishReason}`;
  }
  console.log(`${line}|${engine}`);
  await adapter.close();
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
