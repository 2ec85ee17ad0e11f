// The rows of the table. A row's function gets the base URL, what its packages export, and the kind of workload; it
// gives back a function that makes one call, reads it to its end and tells what came: `{ events, chars }`.
import { importPackage } from '../peers.mjs';

/**
 * `floor` is the bare loop on the same protocol; `imports` is what a user of the row imports; `kinds` are those of the
 * workloads that the row takes part in, where not all.
 */
export const ROWS = [
  { name: 'bare', floor: 'bare', imports: ['undici'], file: 'bare', make: 'openai' },
  { name: 'airframe', floor: 'bare', imports: ['@x/airframe'], file: 'airframe', make: 'openaiChat' },
  {
    name: 'airframe withRetry',
    floor: 'bare',
    imports: ['@x/airframe'],
    file: 'airframe',
    make: 'withRetry',
  },
  {
    name: 'avionics',
    floor: 'bare',
    imports: ['@x/avionics'],
    file: 'avionics',
    make: 'gateway',
    kinds: ['text', 'numbered', 'padded'],
  },
  { name: 'openai', floor: 'bare', imports: ['openai'], file: 'openai-node', make: 'row' },
  { name: 'ai', floor: 'bare', imports: ['ai', '@ai-sdk/openai-compatible'], file: 'ai-sdk', make: 'row' },
  {
    name: '@langchain/openai',
    floor: 'bare',
    imports: ['@langchain/openai'],
    file: 'langchain',
    make: 'row',
  },
  { name: 'bare, anthropic', floor: 'bare, anthropic', imports: ['undici'], file: 'bare', make: 'anthropic' },
  {
    name: 'airframe, anthropic',
    floor: 'bare, anthropic',
    imports: ['@x/airframe'],
    file: 'airframe',
    make: 'anthropic',
  },
  {
    name: '@anthropic-ai/sdk',
    floor: 'bare, anthropic',
    imports: ['@anthropic-ai/sdk'],
    file: 'anthropic-sdk',
    make: 'row',
  },
];

export const needsPeers = ({ imports }) => imports.some(name => name !== 'undici' && !name.startsWith('@x/'));

/** @returns what the packages of a row export, put together */
export async function importAll(imports) {
  return Object.assign({}, ...(await Promise.all(imports.map(name => importPackage(name)))));
}

export async function functionOf({ file, make }) {
  return (await import(`./rows/${file}.mjs`))[make];
}
