import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { childEntry } from '../../src/isolation/child-entry.ts';
import type { Findings, Orders, Outcome } from '../many-requests.ts';

const MB = 1024 * 1024;
const PROGRAM = fileURLToPath(new URL('../many-requests.ts', import.meta.url));

/** What is different about each way to run an engine. */
const MODES: Record<string, Pick<Orders, 'options' | 'adapter'>> = {
  'core, in this process': { options: {}, adapter: { engine: 'core' } },
  'core, in a process of its own': { options: { isolation: 'process' }, adapter: { engine: 'core' } },
  'node-llama-cpp, in this process': { options: {}, adapter: { engine: 'node-llama-cpp' } },
  'node-llama-cpp, in a process of its own': {
    options: { isolation: 'process' },
    adapter: { engine: 'node-llama-cpp' },
  },
};

/** @returns what it found out; the process has to end by itself */
async function run(orders: Orders): Promise<Findings> {
  const args = ['--expose-gc', '--no-warnings', ...childEntry().execArgv, PROGRAM, JSON.stringify(orders)];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
    maxBuffer: 16 * MB,
    timeout: 55_000,
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe.each(Object.keys(MODES))('500 requests, 8 at a time, a third given up, %s', name => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const mode = MODES[name] as Pick<Orders, 'options' | 'adapter'>;

  it(`are answered alike, counted right and leave nothing behind (seed ${seed})`, async () => {
    const orders: Orders = { seed, requests: 500, warmUp: 150, atOnce: 8, maxTokens: 8, ...mode };
    const { outcomes, before, after } = await run(orders);
    expect(outcomes).toHaveLength(500);

    const whole = outcomes.filter(({ givenUpAfter }) => givenUpAfter === undefined);
    const answers = new Map<string, Outcome>();
    for (const outcome of whole) {
      const first = answers.get(outcome.prompt) ?? outcome;
      answers.set(outcome.prompt, first);
      expect(outcome.done?.finishReason).toMatch(/^(stop|length)$/);
      expect(figures(outcome)).toEqual(figures(first));
      if (outcome.done?.finishReason !== 'length') continue;
      expect(outcome.done.usage.completionTokens).toBe(orders.maxTokens);
    }

    const givenUp = outcomes.filter(({ givenUpAfter }) => givenUpAfter !== undefined);
    expect(givenUp.length).toBeGreaterThan(100);
    for (const { prompt, done, tokens, text } of givenUp) {
      const answer = answers.get(prompt);
      expect(answer?.text.startsWith(text)).toBe(true);
      if (!done || (done.finishReason === 'aborted' && tokens === 0)) continue;
      expect(done.usage).toMatchObject({
        source: 'reported',
        promptTokens: answer?.done?.usage.promptTokens,
      });
      expect(done.usage.completionTokens).toBeGreaterThanOrEqual(tokens);
      expect(done.usage.completionTokens).toBeLessThanOrEqual(orders.maxTokens);
    }

    expect(after.heap - before.heap).toBeLessThan(2 * MB);
    expect(after.resident - before.resident).toBeLessThan(32 * MB);
  });
});

/** What has to be the same each time: all but how much of the prompt was in the cache. */
function figures({ text, done }: Outcome): unknown {
  const { promptTokens, completionTokens, totalTokens, source } = done?.usage ?? {};
  return { text, finishReason: done?.finishReason, promptTokens, completionTokens, totalTokens, source };
}
