// One llama-server: its slots, what it keeps of prompts, and how fast it is.
import { PromptCache } from './prompt-cache.mjs';

/** Tokens of a block of a prompt: what the router's blocks are, by its own estimate of 4 characters a token. */
export const BLOCK_TOKENS = 64;

/**
 * While a prompt is evaluated no other slot generates: both go into one batch, and a batch lasts as long as the prompts in
 * it. Prompts share the time they take.
 */
export class Node {
  up = true;
  #agenda;
  #speed;
  #cache;
  #calls = new Set();
  #advancedAt = 0;
  #plan = 0;
  #busyMs = 0;

  /**
   * @param speed by calibration: `overheadMs` of each call, and `bySlots` for 1, 2, 3 … slots that are at it,
   *   `promptTokensPerSecond` of all together and `generationTokensPerSecond` of each
   */
  constructor(agenda, speed, { slots, storedTokens }) {
    this.#agenda = agenda;
    this.#speed = speed;
    this.#cache = new PromptCache(slots, Math.floor(storedTokens / BLOCK_TOKENS));
  }

  /** Slots that are busy, added up over time; slots × milliseconds. */
  get busyMs() {
    this.#advance();
    return this.#busyMs;
  }

  /**
   * Begins a call; there must be a slot for it.
   * @param call `prompt` and `answer` as blocks; `firstOutput()`, `done({ heldBlocks })` and `cut()` (by the node's end) are called
   */
  begin(call) {
    this.#advance();
    const { slot, held } = this.#cache.begin(call.prompt);
    const overhead = (this.#speed.overheadMs / 1_000) * this.#speed.bySlots[0].promptTokensPerSecond;
    const left = (call.prompt.length - held) * BLOCK_TOKENS + overhead;
    this.#calls.add({ ...call, slot, held, evaluating: true, left });
    this.#replan();
  }

  /** All calls break off, and everything that was kept is gone. */
  fail() {
    this.#advance();
    this.up = false;
    const calls = [...this.#calls];
    this.#calls.clear();
    this.#cache.clear();
    this.#replan();
    for (const call of calls) call.cut();
  }

  comeBack() {
    this.up = true;
  }

  /** Lets the calls go on to the present time. */
  #advance() {
    const ms = this.#agenda.now - this.#advancedAt;
    this.#advancedAt = this.#agenda.now;
    this.#busyMs += ms * this.#calls.size;
    const { active, perMs } = this.#work();
    for (const call of active) call.left -= ms * perMs;
  }

  /** The calls that go on now, and how many tokens each does in a millisecond. */
  #work() {
    const evaluating = [...this.#calls].filter(call => call.evaluating);
    const active = evaluating.length > 0 ? evaluating : [...this.#calls];
    const { bySlots } = this.#speed;
    const speed = bySlots[Math.min(Math.max(active.length, 1), bySlots.length) - 1];
    const ofAll = speed.promptTokensPerSecond / active.length;
    return { active, perMs: (evaluating.length > 0 ? ofAll : speed.generationTokensPerSecond) / 1_000 };
  }

  #replan() {
    const plan = ++this.#plan;
    const { active, perMs } = this.#work();
    if (active.length === 0) return;
    const next = active.reduce((one, other) => (other.left < one.left ? other : one));
    this.#agenda.after(Math.max(0, next.left / perMs), () => {
      if (plan === this.#plan) this.#step(next);
    });
  }

  #step(call) {
    this.#advance();
    if (call.evaluating) {
      call.evaluating = false;
      call.left = call.answer.length * BLOCK_TOKENS;
      this.#replan();
      call.firstOutput();
      return;
    }
    this.#calls.delete(call);
    this.#cache.end(call.slot, [...call.prompt, ...call.answer]);
    this.#replan();
    call.done({ heldBlocks: call.held });
  }
}
