// What the pool does around the router, on the clock of the simulation: the queue, and other nodes for a call that fails.
import { BLOCK_TOKENS } from './node.mjs';

// As by default in the pool and its provider.
const MAX_QUEUE = 256;
const MAX_WAIT_MS = 30_000;
const MAX_RETRIES = 3;
const RETRY_MS = 250;

/** Until a connection is refused. */
const REFUSED_MS = 1;

export class Dispatcher {
  #agenda;
  #router;
  #nodes;
  #waiting = [];
  #wakesAt;
  #decisions = 0;
  #decidedMs = 0;

  constructor({ agenda, router, nodes }) {
    this.#agenda = agenda;
    this.#router = router;
    this.#nodes = nodes;
  }

  /**
   * @param call `prompt`, `answer` and `promptTokens`; gets `firstMs` to the first output, `waitedMs` for slots,
   *   `queued` when no node had room, and `heldTokens`, or `refused` or `cut` when it came to no end
   * @param onDone called when it has come to a good end
   */
  dispatch(call, onDone) {
    const prefix = { hashes: call.prompt, tokens: call.promptTokens };
    Object.assign(call, {
      startedAt: this.#agenda.now,
      waitedMs: 0,
      queued: false,
      failures: 0,
      refused: false,
      cut: false,
    });
    this.#try({ call, onDone, prefix, exclude: new Set(), rounds: 0 });
  }

  /** Gives out what slots there are. */
  serve() {
    while (this.#waiting.length > 0) {
      const next = this.#decide(() => this.#router.assignNext(this.#waiting));
      if (!next) break;
      const waiter = this.#waiting[next.index];
      this.#leave(waiter);
      this.#send(waiter.job, next.assignment);
    }
    this.#setWake();
  }

  /** Real time that decisions took; not the same in each run. */
  cost() {
    return { decisions: this.#decisions, microsPerDecision: (1_000 * this.#decidedMs) / this.#decisions };
  }

  #decide(ask) {
    const startedAt = performance.now();
    const answer = ask();
    this.#decidedMs += performance.now() - startedAt;
    this.#decisions++;
    return answer;
  }

  #try(job) {
    const hurried = { prefix: job.prefix, exclude: job.exclude };
    const request = { ...hurried, since: this.#agenda.now };
    const isFull = this.#waiting.length >= MAX_QUEUE;
    const result = this.#decide(() => this.#router.assign(isFull ? hurried : request, this.#waiting));
    if (result.node !== undefined) return this.#send(job, result);
    if (result.refused === 'saturated') return this.#wait(job, request, result.waitsFor);
    // Every node has failed this call: all of them again.
    this.#agenda.after(RETRY_MS * 2 ** job.rounds, () =>
      this.#try({ ...job, exclude: new Set(), rounds: job.rounds + 1 }),
    );
  }

  #wait(job, request, waitsFor) {
    if (this.#waiting.length >= MAX_QUEUE) {
      job.call.refused = true;
      return;
    }
    const waiter = { job, request, passedOver: 0, waitsFor, left: false };
    job.call.queued ||= waitsFor === undefined;
    this.#waiting.push(waiter);
    this.#agenda.after(MAX_WAIT_MS, () => {
      if (waiter.left) return;
      const { since: _, ...hurried } = request;
      const last = this.#decide(() => this.#router.assign(hurried));
      this.#leave(waiter);
      if (last.node !== undefined) this.#send(job, last);
      else job.call.refused = true;
    });
    this.#setWake();
  }

  #leave(waiter) {
    this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
    waiter.left = true;
    const { call } = waiter.job;
    call.waitedMs += this.#agenda.now - waiter.request.since;
    call.queued ||= this.#agenda.now > waiter.waitsFor?.until;
  }

  #send(job, assignment) {
    const node = this.#nodes.get(assignment.node);
    const { call } = job;
    if (!node.up) {
      this.#agenda.after(REFUSED_MS, () => this.#failed(job, assignment));
      return;
    }
    node.begin({
      prompt: call.prompt,
      answer: call.answer,
      firstOutput: () => {
        call.firstMs = this.#agenda.now - call.startedAt;
        assignment.firstOutput();
      },
      done: ({ heldBlocks }) => {
        call.heldTokens = heldBlocks * BLOCK_TOKENS;
        const { promptTokens, heldTokens } = call;
        assignment.end({ result: 'ok', promptTokens, cachedTokens: heldTokens });
        this.serve();
        job.onDone();
      },
      cut: () => this.#failed(job, assignment),
    });
  }

  #failed(job, assignment) {
    const { call } = job;
    assignment.end({ result: 'failed', unreachable: true });
    if (call.firstMs !== undefined) call.cut = true;
    else if (++call.failures > MAX_RETRIES) call.refused = true;
    else this.#try({ ...job, exclude: new Set([...job.exclude, assignment.node]) });
    this.serve();
  }

  #setWake() {
    const at = this.#waiting.length > 0 ? this.#router.nextLookAt(this.#waiting) : undefined;
    if (at === this.#wakesAt) return;
    this.#wakesAt = at;
    if (at === undefined) return;
    this.#agenda.at(Math.max(at, this.#agenda.now), () => {
      if (at !== this.#wakesAt) return;
      this.#wakesAt = undefined;
      this.serve();
    });
  }
}
