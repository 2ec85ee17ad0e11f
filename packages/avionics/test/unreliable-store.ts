import { AirframeError } from '@x/airframe';
import { MemoryStore } from '../src/store/memory.ts';
import { type Settlement, STORE_DOWN, STORE_FAILED, type Store } from '../src/store/store.ts';

/** How a store fails: at the door, before the work, or after it, the reply being lost. */
export type Failing = 'down' | 'before' | 'after';

/** A store in memory that can be made to fail, as a shared one does. Settlements wait until it works again. */
export interface UnreliableStore extends Store {
  failing: Failing | undefined;
  /** Books what waits, as the store does when it is back. */
  recover(): Promise<void>;
}

export function unreliableStore(): UnreliableStore {
  const memory = new MemoryStore();
  const waiting: Settlement[] = [];
  const error = (code: string) =>
    new AirframeError('overloaded', 'the box is down', { code, retryAfterMs: 50 });
  const state: Pick<UnreliableStore, 'failing' | 'recover'> = {
    failing: undefined,
    recover: async () => {
      state.failing = undefined;
      for (const settlement of waiting.splice(0)) await memory.settle(settlement);
    },
  };
  const unreliable =
    <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (state.failing === 'down') throw error(STORE_DOWN);
      if (state.failing === 'before') throw error(STORE_FAILED);
      const result = await work.apply(memory, args);
      if (state.failing === 'after') throw error(STORE_FAILED);
      return result;
    };
  return Object.assign(state, {
    reserve: unreliable(memory.reserve),
    usage: unreliable(memory.usage),
    get: unreliable(memory.get),
    set: unreliable(memory.set),
    delete: unreliable(memory.delete),
    claim: unreliable(memory.claim),
    renew: unreliable(memory.renew),
    release: unreliable(memory.release),
    held: unreliable(memory.held),
    settle: async (settlement: Settlement) => {
      if (state.failing) waiting.push(settlement);
      else await memory.settle(settlement);
    },
    close: async () => {},
  });
}
