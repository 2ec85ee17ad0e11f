// One row in a process of its own: `measure.mjs JSON`. Each message asks for one measurement.
import { answerParent } from '../child.mjs';
import { importPackage } from '../peers.mjs';
import { ANSWER_TOKENS } from './cells.mjs';
import { passOf, rateOf } from './figures.mjs';
import { promptsOf } from './prompts.mjs';
import * as adapters from './rows/adapter.mjs';
import { bare } from './rows/bare.mjs';

const { make, row: name, model, threads, url } = JSON.parse(process.argv[2]);
const row = await { bare, ...adapters }[make]({ model, threads, url }, importPackage);
let seed = 0;

/** What is not there by then is left out, in milliseconds: two threads on two busy cores may take minutes. */
const LONGEST_MS = 20_000;

/** Makes calls at once. */
async function pass({ kind, requests }) {
  const maxTokens = ANSWER_TOKENS[kind];
  const prompts = promptsOf(kind, requests, `${name} ${seed++}`);
  const signal = AbortSignal.timeout(LONGEST_MS);
  const calls = await Promise.all(prompts.map(prompt => row.complete(prompt, maxTokens, signal)));
  for (const { completionTokens, cachedTokens } of calls) {
    if (completionTokens !== maxTokens && !signal.aborted)
      throw new Error(`${completionTokens} tokens instead of ${maxTokens}`);
    if (cachedTokens > 1) throw new Error(`${cachedTokens} tokens of a new prompt came from a cache`);
  }
  const begun = calls.filter(({ firstAt }) => firstAt !== undefined);
  if (begun.length === 0) throw new Error(`no token came within ${LONGEST_MS} ms`);
  return passOf(kind, begun);
}

/** Passes until they have taken so much time by the consumer's clock: at least one. */
async function passesFor(cell, leastMs) {
  const passes = [];
  for (let ms = 0; passes.length === 0 || ms < leastMs; ms += passes.at(-1).ms) passes.push(await pass(cell));
  return rateOf(passes);
}

answerParent(row ? {} : { absent: true }, async ({ close, leastMs, ...cell }) => {
  if (!close) return passesFor(cell, leastMs);
  await row.close();
  return {};
});
