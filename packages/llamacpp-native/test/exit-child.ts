// Run by exit.test.ts: one answer, close, and nothing that would end the process.
import { pathToFileURL } from 'node:url';
import { collect } from '@x/airframe';
import { llamaCppAdapter } from '../src/index.ts';

const [path = '', isolation = 'none', closing = 'close'] = process.argv.slice(2);
const adapter = llamaCppAdapter();
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
