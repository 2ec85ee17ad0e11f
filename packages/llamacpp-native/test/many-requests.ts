// Run by many-requests.test.ts, with --expose-gc: many requests, a third of them given up, and what is left of them.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Adapter, DoneEvent } from '@x/airframe';
import { memoryInUse } from '../../../test/resources.ts';
import { type LlamaCppAdapterOptions, type LlamaCppExtra, llamaCppAdapter } from '../src/index.ts';
import { demoEndpoint } from './demo-model.ts';
import { engineProcesses, residentBytes } from './engine-processes.ts';

/** What the test says, as JSON in the only argument. */
export interface Orders {
  seed: number;
  requests: number;
  warmUp: number;
  atOnce: number;
  maxTokens: number;
  /** Of the endpoint. */
  options: Record<string, unknown>;
  /** Of the adapter. */
  adapter: LlamaCppAdapterOptions;
}

/** How one request ended. */
export interface Outcome {
  prompt: string;
  /** Tokens after which it was to be given up; absent: read to its end. */
  givenUpAfter?: number;
  text: string;
  /** Token events seen. */
  tokens: number;
  /** Absent for a reader who left. */
  done?: Pick<DoneEvent, 'finishReason' | 'usage'>;
}

/** What is printed, as JSON. */
export interface Findings {
  outcomes: Outcome[];
  before: Memory;
  after: Memory;
}

/** Bytes. */
interface Memory {
  heap: number;
  /** Of the process that the engine runs in. */
  resident: number;
}

const PROMPTS = ['The sky is', 'Two and two make', 'A wing is', 'one two three four'];

const orders: Orders = JSON.parse(process.argv[2] ?? '');
const engines = engineProcesses();
const random = randomFrom(orders.seed);
const adapter = llamaCppAdapter(orders.adapter);

await requests(orders.warmUp);
const before = await memory();
const outcomes = await requests(orders.requests);
const after = await memory();
await adapter.close();
console.log(JSON.stringify({ outcomes, before, after } satisfies Findings));

async function requests(count: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let begun = 0;
  const worker = async () => {
    while (begun++ < count) outcomes.push(await request(adapter));
  };
  await Promise.all(Array.from({ length: orders.atOnce }, worker));
  return outcomes;
}

async function request(by: Adapter<LlamaCppExtra>): Promise<Outcome> {
  const { maxTokens, options } = orders;
  const prompt = PROMPTS[Math.floor(random() * PROMPTS.length)] ?? '';
  const givenUpAfter = random() < 1 / 3 ? Math.floor(random() * maxTokens) : undefined;
  const leaves = random() < 1 / 2;
  const aborter = new AbortController();
  const outcome: Outcome = {
    prompt,
    text: '',
    tokens: 0,
    ...(givenUpAfter === undefined ? {} : { givenUpAfter }),
  };
  const endpoint = demoEndpoint({ contextTokens: 256, ...options });
  const asked = { prompt, temperature: 0, maxTokens };
  const stream = by.streamInfer(endpoint, asked, { signal: aborter.signal });
  if (givenUpAfter === 0) setTimeout(() => aborter.abort(), random() * 10);
  for await (const event of stream) {
    if (event.type === 'done') outcome.done = { finishReason: event.finishReason, usage: event.usage };
    if (event.type !== 'token') continue;
    outcome.text += event.text;
    if (++outcome.tokens !== givenUpAfter) continue;
    if (leaves) break;
    aborter.abort();
  }
  return outcome;
}

async function memory(): Promise<Memory> {
  // What was given up last is still on its way out.
  await sleep(200);
  return { heap: memoryInUse(), resident: residentBytes(engines.at(-1)?.pid ?? process.pid) };
}

/** The same numbers from 0 up to 1 for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
