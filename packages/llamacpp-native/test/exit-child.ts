// Run by exit.test.ts: one answer, close, and nothing that would end the process.
import { pathToFileURL } from 'node:url';
import { collect } from '@x/airframe';
import { llamaCppAdapter } from '../src/index.ts';

const [path = ''] = process.argv.slice(2);
const adapter = llamaCppAdapter();
const endpoint = { name: 'demo', backendKind: 'llamacpp_native', baseUrl: pathToFileURL(path).href };
const { usage } = await collect(adapter.streamInfer(endpoint, { prompt: 'one two', maxTokens: 4 }));
console.log(`answered ${usage.completionTokens} tokens`);
await adapter.close();
console.log('closed');
