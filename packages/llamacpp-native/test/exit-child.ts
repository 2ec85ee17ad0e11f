// Run by exit.test.ts: one answer, close, and nothing that would end the process; or an end in the midst of answers.
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { collect } from '@x/airframe';
import { type EngineName, llamaCppAdapter } from '../src/index.ts';

const [path = '', engine, isolation = 'none', closing = 'close'] = process.argv.slice(2);
const adapter = llamaCppAdapter({ engine: engine as EngineName });
const endpoint = {
  name: 'demo',
  backendKind: 'llamacpp_native',
  baseUrl: pathToFileURL(path).href,
  options: { isolation },
};
const { usage } = await collect(adapter.streamInfer(endpoint, { prompt: 'one two', maxTokens: 4 }));
console.log(`answered ${usage.completionTokens} tokens`);
if (closing === 'close') {
  await adapter.close();
  console.log('closed');
}
if (closing === 'exit') {
  const long = { prompt: 'one two', maxTokens: 400 };
  for (let call = 0; call < 8; call++) void collect(adapter.streamInfer(endpoint, long));
  await sleep(20);
  process.exit();
}
