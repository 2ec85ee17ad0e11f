// Run by exit.test.ts, which kills it: an answer that does not end, in an engine's process whose id it prints.
import { llamaCppAdapter } from '../src/index.ts';
import { demoEndpoint } from './demo-model.ts';
import { engineProcesses } from './engine-processes.ts';

const [path = ''] = process.argv.slice(2);
const started = engineProcesses();
const endless = { prompt: 'one two', extra: { grammar: 'root ::= [a-z ] root' } };
const endpoint = demoEndpoint({ isolation: 'process' }, path);
for await (const event of llamaCppAdapter().streamInfer(endpoint, endless)) {
  if (event.type === 'token') break;
}
const stream = llamaCppAdapter().streamInfer(endpoint, endless);
await stream.next();
console.log(started.map(({ pid }) => pid).join(' '));
setInterval(() => stream.next(), 10);
