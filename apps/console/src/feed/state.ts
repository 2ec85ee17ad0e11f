import type { Budget, Circuit, ConsoleEvents, Hello, NodeCard, RequestRecord, Sample } from '../contract.ts';

/** All that the gateway has told, as the views read it. */
export interface ConsoleState {
  /** Absent: it has told nothing yet. */
  hello?: Hello;
  /** The oldest first. */
  samples: readonly Sample[];
  nodes: readonly NodeCard[];
  circuits: readonly Circuit[];
  budgets: readonly Budget[];
  /** By {@link budgetId}: how much was spent when, since the console has watched. */
  trails: ReadonlyMap<string, readonly Spent[]>;
  /** The newest first. */
  requests: readonly RequestRecord[];
  /** Calls that were too many to be listed, since the list began. */
  unlisted: number;
}

export interface Spent {
  at: number;
  spent: number;
}

/** Charts show five minutes, and means over the minute before. */
const MAX_SAMPLES = 360;
const MAX_REQUESTS = 1000;
const MAX_TRAIL = 400;

export const EMPTY: ConsoleState = {
  ...{ samples: [], nodes: [], circuits: [], budgets: [], requests: [], unlisted: 0 },
  trails: new Map(),
};

export function budgetId({ rule, scope, subject, unit, window }: Budget): string {
  return JSON.stringify([rule, scope, subject, unit, window]);
}

/** Takes events in; {@link snapshot} gives what they have come to. */
export class StateBuilder {
  #state: ConsoleState = EMPTY;
  /** The oldest first. */
  #requests = new Map<string, RequestRecord>();
  #requestsChanged = false;

  readonly #on: { [Name in keyof ConsoleEvents]: (data: ConsoleEvents[Name]) => void } = {
    hello: hello => this.#set({ hello }),
    history: samples => this.#set({ samples: samples.slice(-MAX_SAMPLES) }),
    sample: sample => this.#set({ samples: [...this.#state.samples, sample].slice(-MAX_SAMPLES) }),
    nodes: nodes => this.#set({ nodes }),
    circuits: circuits => this.#set({ circuits }),
    budgets: budgets => this.#set({ budgets, trails: trailsOf(this.#state.trails, budgets, Date.now()) }),
    requests: records => {
      this.#requests = new Map(records.map(record => [record.id, record]));
      this.#requestsChanged = true;
      this.#set({ unlisted: 0 });
    },
    request: record => this.#put(record),
    unlisted: more => this.#set({ unlisted: this.#state.unlisted + more }),
  };

  /** An event of a name that is not known is left aside: the gateway may be newer than the page. */
  take(event: string, data: unknown): void {
    const on: Record<string, ((data: never) => void) | undefined> = this.#on;
    on[event]?.(data as never);
  }

  snapshot(): ConsoleState {
    if (this.#requestsChanged) {
      this.#requestsChanged = false;
      this.#set({ requests: [...this.#requests.values()].reverse() });
    }
    return this.#state;
  }

  #set(changes: Partial<ConsoleState>): void {
    this.#state = { ...this.#state, ...changes };
  }

  #put(record: RequestRecord): void {
    this.#requests.set(record.id, record);
    if (this.#requests.size > MAX_REQUESTS) {
      const oldest = this.#requests.keys().next();
      if (!oldest.done) this.#requests.delete(oldest.value);
    }
    this.#requestsChanged = true;
  }
}

/** Trails with what is spent now; a budget that has begun anew has a new trail. */
export function trailsOf(
  trails: ConsoleState['trails'],
  budgets: readonly Budget[],
  at: number,
): ConsoleState['trails'] {
  return new Map(
    budgets.map(budget => {
      const id = budgetId(budget);
      const before = trails.get(id) ?? [];
      const last = before.at(-1);
      const isNew = last !== undefined && budget.spent < last.spent;
      return [id, [...(isNew ? [] : before), { at, spent: budget.spent }].slice(-MAX_TRAIL)];
    }),
  );
}
