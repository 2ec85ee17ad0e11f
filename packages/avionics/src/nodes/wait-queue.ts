import { AirframeError } from '@x/airframe';
import { noNode } from './no-node.ts';
import type { Assignment, HomeWait, RouteRequest, Waiting } from './route.ts';
import type { NodeRouter } from './router.ts';

export interface WaitOptions {
  /** Longest wait, in milliseconds. */
  maxWaitMs: number;
  signal: AbortSignal | undefined;
  /** It has waited before. */
  first: boolean;
  /** As in the refusal. */
  waitsFor: HomeWait | undefined;
}

interface Waiter extends Waiting {
  take(assignment: Assignment): void;
  refuse(error: AirframeError): void;
}

/** Calls that wait for a slot. */
export class WaitQueue {
  readonly #router: NodeRouter;
  readonly #maxLength: number;
  readonly #now: () => number;
  readonly #waiting: Waiter[] = [];
  /** Wakes the queue when the router says so. */
  #wake: NodeJS.Timeout | undefined;

  /** @param now the router's clock */
  constructor(router: NodeRouter, maxLength: number, now: () => number) {
    this.#router = router;
    this.#maxLength = maxLength;
    this.#now = now;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Oldest first. */
  get waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  get isFull(): boolean {
    return this.#waiting.length >= this.#maxLength;
  }

  /** @throws AirframeError: overloaded when the queue is full or the wait too long, aborted by the signal */
  wait(request: RouteRequest, { maxWaitMs, signal, first, waitsFor }: WaitOptions): Promise<Assignment> {
    const startedAt = this.#now();
    if (this.isFull) {
      const text = `all nodes are busy and ${this.#waiting.length} calls wait for a slot already (maxQueue ${this.#maxLength})`;
      const remedy = 'try again later, add nodes or slots, or allow a longer queue';
      return Promise.reject(new AirframeError('overloaded', text, { code: 'node_queue_full', remedy }));
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        const at = this.#waiting.indexOf(waiter);
        if (at >= 0) this.#waiting.splice(at, 1);
        this.#setWake();
      };
      const waiter: Waiter = {
        request,
        passedOver: 0,
        waitsFor,
        take: assignment => {
          leave();
          resolve(assignment);
        },
        refuse: error => {
          leave();
          reject(error);
        },
      };
      const onAbort = () =>
        waiter.refuse(
          new AirframeError('aborted', 'the call was aborted while it waited for a slot', {
            cause: signal?.reason,
          }),
        );
      const timer = setTimeout(() => {
        const last = this.#router.assign(inAHurry(request));
        if (last.node !== undefined) return waiter.take(last);
        const waitedMs = Math.round(this.#now() - startedAt);
        const others = this.#waiting.length - 1;
        const text = `no node had a free slot within ${waitedMs} ms; ${others} other calls wait in the queue`;
        const remedy = 'try again later, add nodes or slots, or allow a longer wait';
        waiter.refuse(new AirframeError('overloaded', text, { code: 'node_queue_timeout', remedy }));
      }, maxWaitMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (first) this.#waiting.unshift(waiter);
      else this.#waiting.push(waiter);
      this.#setWake();
    });
  }

  /** Gives out what slots there are. To be called whenever one may have become free. */
  serve(): void {
    while (this.#waiting.length > 0) {
      const next = this.#router.assignNext(this.#waiting);
      if (!next) break;
      this.#waiting[next.index]?.take(next.assignment);
    }
    this.#setWake();
  }

  /**
   * To be called when the nodes are others: refuses the calls that none of them is for, and serves the rest.
   * @param removed names of nodes there were
   */
  nodesChanged(removed: readonly string[]): void {
    for (const waiter of [...this.#waiting]) {
      const refused = this.#router.refusal(waiter.request);
      if (refused) waiter.refuse(noNode(refused, waiter.request));
      else if (waiter.waitsFor && removed.includes(waiter.waitsFor.node)) waiter.waitsFor = undefined;
    }
    this.serve();
  }

  /** Refuses all that wait. */
  close(error: AirframeError): void {
    for (const waiter of [...this.#waiting]) waiter.refuse(error);
  }

  #setWake(): void {
    clearTimeout(this.#wake);
    const at = this.#waiting.length > 0 ? this.#router.nextLookAt(this.#waiting) : undefined;
    if (at === undefined) return;
    this.#wake = setTimeout(() => this.serve(), Math.max(1, at - this.#now()));
  }
}

/** The same for a call that cannot wait for a certain node any more. */
export function inAHurry({ since: _, ...request }: RouteRequest): RouteRequest {
  return request;
}
