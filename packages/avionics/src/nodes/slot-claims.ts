import type { Assignment } from './route.ts';
import type { NodeRouter } from './router.ts';
import type { Claim, SharedState } from './shared-state.ts';

/** When others have all slots of a node, it is asked again after so many milliseconds. */
const ASK_AGAIN_MS = 250;

export type SlotClaim = Pick<Claim, 'release'>;

const UNSHARED: SlotClaim = { release: () => {} };

/** Claims at the replicas' store the slots that the router has given, and tells the router what others have. */
export class SlotClaims {
  readonly #router: NodeRouter;
  readonly #shared: SharedState | undefined;
  readonly #onRoom: () => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #closed = false;

  /**
   * @param shared undefined: there are no replicas, and each claim holds
   * @param onRoom called when a node may have room again that others had filled
   */
  constructor(router: NodeRouter, shared: SharedState | undefined, onRoom: () => void) {
    this.#router = router;
    this.#shared = shared;
    this.#onRoom = onRoom;
  }

  /**
   * @param address of the assignment's node
   * @returns undefined, and the assignment has ended: others have all slots, or other nodes have come
   */
  async claim(assignment: Assignment, address: string): Promise<SlotClaim | undefined> {
    if (!this.#shared) return UNSHARED;
    const { node, reasons } = assignment;
    const claim = await this.#shared.claim(address, reasons.slots);
    if (claim && !assignment.removed) {
      this.#router.observe(node, { elsewhere: claim.held - this.#router.inFlight(node) });
      return claim;
    }
    claim?.release();
    assignment.end({ result: 'none' });
    if (assignment.removed) return undefined;
    this.#router.observe(node, { elsewhere: reasons.slots - this.#router.inFlight(node) });
    this.#askAgain(node);
    return undefined;
  }

  /** These nodes are no longer there. */
  forget(nodes: Iterable<string>): void {
    for (const node of nodes) {
      clearTimeout(this.#timers.get(node));
      this.#timers.delete(node);
    }
  }

  close(): void {
    this.#closed = true;
    this.forget([...this.#timers.keys()]);
  }

  #askAgain(node: string): void {
    if (this.#closed) return;
    clearTimeout(this.#timers.get(node));
    const timer = setTimeout(() => {
      this.#timers.delete(node);
      this.#router.observe(node, { elsewhere: 0 });
      this.#onRoom();
    }, ASK_AGAIN_MS).unref();
    this.#timers.set(node, timer);
  }
}
