// What a llama-server keeps of prompts: the last one of each slot, and beside the slots a store in RAM, oldest out
// first. As in llama.cpp v0.5.0, tools/server: `get_available_slot` (server-context.cpp) and `server_prompt_cache`
// (server-task.cpp), without `--kv-unified`. A prompt is a list of blocks, all of the same size, and a block stands for
// the whole text up to its end.

/** llama-server's `--slot-prompt-similarity`, as by default. */
const SIMILARITY = 0.1;
/** A slot that would lose more than this of its prompt has it stored first. */
const LOSES = 0.5;
/** A stored prompt of which less than this would stay is left alone. */
const KEEPS = 0.25;

export class PromptCache {
  #slots;
  #stored = [];
  #limit;
  #uses = 0;

  /** @param storedBlocks the store's size; 0: there is none */
  constructor(slots, storedBlocks) {
    this.#slots = Array.from({ length: slots }, () => ({ prompt: [], busy: false, usedAt: 0 }));
    this.#limit = storedBlocks;
  }

  /** Gives a prompt a slot that is not busy; there must be one. @returns the slot, and how many blocks it held of it */
  begin(prompt) {
    const slot = this.#choose(prompt);
    const held = common(slot.prompt, prompt);
    slot.busy = true;
    slot.prompt = prompt;
    if (this.#limit > 0) for (const { busy, prompt } of this.#slots) if (!busy) this.#store(prompt);
    return { slot, held };
  }

  /** @param prompt with the answer, as far as there is one */
  end(slot, prompt) {
    slot.busy = false;
    slot.prompt = prompt;
    slot.usedAt = ++this.#uses;
  }

  clear() {
    this.#stored = [];
    for (const slot of this.#slots) Object.assign(slot, { prompt: [], busy: false, usedAt: 0 });
  }

  #choose(prompt) {
    const idle = this.#slots.filter(({ busy }) => !busy);
    let best;
    let similarity = SIMILARITY;
    for (const slot of idle) {
      const share = common(slot.prompt, prompt) / prompt.length;
      if (share <= similarity) continue;
      similarity = share;
      best = slot;
    }
    if (best) {
      if ((similarity * prompt.length) / best.prompt.length < LOSES) this.#exchange(best, prompt);
      return best;
    }
    const oldest = idle.reduce((one, other) => (other.usedAt <= one.usedAt ? other : one));
    this.#exchange(oldest, prompt);
    return oldest;
  }

  /** Stores what the slot holds, and puts in what fits the prompt best. */
  #exchange(slot, prompt) {
    if (this.#limit === 0) return;
    this.#store(slot.prompt);
    const held = common(slot.prompt, prompt);
    let keeps = slot.prompt.length > 0 ? held / slot.prompt.length : -1;
    let similarity = held / prompt.length;
    let best = -1;
    for (const [index, stored] of this.#stored.entries()) {
      const same = common(stored, prompt);
      if (same / stored.length < KEEPS) continue;
      if (same / stored.length <= keeps || same / prompt.length <= similarity) continue;
      keeps = same / stored.length;
      similarity = same / prompt.length;
      best = index;
    }
    if (best >= 0) [slot.prompt] = this.#stored.splice(best, 1);
  }

  #store(prompt) {
    if (prompt.length === 0 || prompt.length > this.#limit) return;
    if (this.#stored.some(stored => common(stored, prompt) === prompt.length)) return;
    this.#stored = this.#stored.filter(stored => common(stored, prompt) < stored.length);
    let blocks = this.#stored.reduce((sum, stored) => sum + stored.length, prompt.length);
    while (blocks > this.#limit) blocks -= this.#stored.shift().length;
    this.#stored.push(prompt);
  }
}

/** Blocks that two prompts have in common. Each stands for all before it, so those are the same up to a place. */
function common(one, other) {
  let from = 0;
  let to = Math.min(one.length, other.length);
  while (from < to) {
    const middle = (from + to) >> 1;
    if (one[middle] === other[middle]) from = middle + 1;
    else to = middle;
  }
  return from;
}
