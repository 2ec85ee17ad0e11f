// Agents and their conversations. All conversations of an agent begin with the same instructions and documents; some
// agents are far more popular than others. Lengths in blocks.
import { exponential } from '../../bench/random.mjs';

/** Between the turns of a conversation. */
export const THINK_MS = 10_000;
/** Of a conversation, on average; geometrically distributed. */
export const TURNS = 6;
/** Least and most of what an agent's conversations begin with, of what a turn brings, and of an answer. */
const INSTRUCTIONS = [8, 48];
const QUESTION = [1, 6];
const ANSWER = [1, 3];
const ZIPF_EXPONENT = 1;

const mean = ([least, most]) => (least + most) / 2;

/** Blocks of the average prompt: turn n has had n questions and n - 1 answers, and of turns there are 1, 2, 3 … */
export const MEAN_PROMPT = mean(INSTRUCTIONS) + TURNS * mean(QUESTION) + (TURNS - 1) * mean(ANSWER);
export const MEAN_ANSWER = mean(ANSWER);

export class Workload {
  #random;
  #agents;
  #total = 0;
  #blocks = 0;

  constructor(agents, random) {
    this.#random = random;
    this.#agents = Array.from({ length: agents }, (_, rank) => {
      this.#total += 1 / (rank + 1) ** ZIPF_EXPONENT;
      return { upTo: this.#total, instructions: this.#text(INSTRUCTIONS) };
    });
  }

  /** A new conversation of some agent: its first prompt. */
  begin() {
    const at = this.#random() * this.#total;
    const { instructions } = this.#agents.find(({ upTo }) => at < upTo);
    return [...instructions, ...this.#text(QUESTION)];
  }

  /** The next prompt; undefined: the conversation is over. */
  goOn(history) {
    return this.#random() < 1 - 1 / TURNS ? [...history, ...this.#text(QUESTION)] : undefined;
  }

  answer() {
    return this.#text(ANSWER);
  }

  thinkMs() {
    return exponential(this.#random, THINK_MS);
  }

  #text([least, most]) {
    const blocks = least + Math.floor(this.#random() * (most - least + 1));
    return Array.from({ length: blocks }, () => ++this.#blocks);
  }
}
