// The load: agents in groups. All of a group begin with the same system prompt and documents; each goes on with its own
// turns, and thinks (works with tools, say) between two of them.
import { setTimeout as sleep } from 'node:timers/promises';
import { randomModelWords } from '../../scripts/make-random-gguf.mjs';
import { randomOf } from '../random.mjs';

export const AGENTS = 16;
export const SHARED_TOKENS = 1_000;
export const QUESTION_TOKENS = 40;
export const ANSWER_TOKENS = 24;
/** Of a conversation; after it the agent begins a new one, with the same beginning. */
export const TURNS = 5;
/** Between two turns, on average; from half as long to half as long again. */
export const THINK_MS = 10_000;

/** Short ones: so a character is about a quarter of a token, as in most prose. */
const WORDS = randomModelWords().filter(word => word.length <= 4);

function text(random, words) {
  return Array.from({ length: words }, () => ` ${WORDS[Math.floor(random() * WORDS.length)]}`).join('');
}

/**
 * One agent's life. What it says is the same in each run; what it thinks of takes as long in each.
 * @param call gets messages, and tells the answer: undefined when there was none
 * @param goesOn asked before each pause and each turn, with how many turns there have been
 */
async function live({ agent, groups, seed, call, goesOn }) {
  const system = text(randomOf(seed * 1_000 + (agent % groups)), SHARED_TOKENS);
  const random = randomOf(seed * 1_000 + 100 + agent);
  let messages = [];
  for (let turn = 0; goesOn(turn); turn++) {
    await sleep(THINK_MS * (0.5 + random()));
    if (!goesOn(turn)) return;
    if (turn % TURNS === 0) messages = [{ role: 'system', content: system }];
    messages = [...messages, { role: 'user', content: text(random, QUESTION_TOKENS) }];
    const answer = await call(messages);
    if (answer !== undefined) messages = [...messages, { role: 'assistant', content: answer }];
  }
}

/**
 * Lets all agents make their calls to a provider.
 * @param groups how many there are
 * @param onCall gets each call's record when it begins; the record is filled in as the call goes on: `routes` are the
 *   nodes it was sent to, `firstMs` is the time to the first output, `failure` says why it has no end
 * @returns all records
 */
export async function runAgents(provider, { groups, seed, goesOn, onCall = () => {} }) {
  const records = [];
  const call = async messages => {
    const record = { startedAt: performance.now(), routes: [] };
    records.push(record);
    onCall(record);
    const request = { messages, temperature: 0, maxTokens: ANSWER_TOKENS };
    const onRoute = ({ node, reasons }) =>
      record.routes.push({ node, why: reasons.why, waitedMs: reasons.waitedMs, at: performance.now() });
    let answer = '';
    for await (const event of provider.infer(request, { onRoute })) {
      if (event.type === 'token') {
        record.firstMs ??= performance.now() - record.startedAt;
        answer += event.text;
      }
      if (event.type === 'error') record.failure = event.error.message;
      if (event.type === 'done') record.usage = event.usage;
    }
    record.totalMs = performance.now() - record.startedAt;
    return record.failure === undefined ? answer : undefined;
  };
  await Promise.all(
    Array.from({ length: AGENTS }, (_, agent) => live({ agent, groups, seed, call, goesOn })),
  );
  return records;
}
