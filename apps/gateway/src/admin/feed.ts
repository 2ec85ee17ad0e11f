import type {
  Budget,
  Circuit,
  ConsoleEvents,
  Hello,
  NodeCard,
  RequestRecord,
  Sample,
} from '@x/console/contract';
import type { Journal } from './journal.ts';
import type { Load, Sampler } from './sampler.ts';
import { Subscriber, type Wire } from './subscriber.ts';

/** Where the feed has it from. All but the budgets is asked once a second while somebody watches. */
export interface FeedSources {
  hello(): Hello;
  nodes(): NodeCard[];
  circuits(): Circuit[];
  /** Asked at most every two seconds, never twice at once. A failure leaves the last ones standing. */
  budgets(): Promise<Budget[]>;
  /** Asked once a second, always. */
  inFlight(): Load;
}

const TICK_MS = 1000;
const BUDGETS_MS = 2000;
/** Calls go out together, so that thousands a second are a few writes. */
const BATCH_MS = 250;
/** Calls that may begin to show in one batch. More than any person reads; what is over stays in the journal alone. */
const MAX_NEW = 50;
/** Calls that a console is told of when it comes. */
const MAX_LISTED = 1000;

/** Makes the console's events of what the gateway knows, and sends each to all that listen, when it has changed. */
export class Feed {
  readonly #sources: FeedSources;
  readonly #journal: Journal;
  readonly #sampler: Sampler;
  readonly #subscribers = new Set<Subscriber>();
  /** The last frame of each event that is sent when it has changed. */
  readonly #last = new Map<keyof ConsoleEvents, string>();
  readonly #changed = new Map<string, RequestRecord>();
  /** Calls under way that subscribers know of: their ends must reach them. */
  readonly #shown = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  readonly #unsubscribe: () => void;
  #batch: NodeJS.Timeout | undefined;
  #budgets: Budget[] = [];
  #budgetsAt = Number.NEGATIVE_INFINITY;
  #asking = false;
  #closed = false;

  /** Runs until {@link close}; its timers keep no process alive. */
  constructor(sources: FeedSources, journal: Journal, sampler: Sampler) {
    this.#sources = sources;
    this.#journal = journal;
    this.#sampler = sampler;
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
    this.#unsubscribe = journal.subscribe(record => this.#onRecord(record));
  }

  /** One call of the journal, content included; undefined: it is not there, or no more. */
  request(id: string): RequestRecord | undefined {
    return this.#journal.get(id);
  }

  /** @returns the subscriber, which has all that is known now; undefined after {@link close} */
  subscribe(wire: Wire): Subscriber | undefined {
    if (this.#closed) return undefined;
    const subscriber = new Subscriber(wire);
    if (this.#subscribers.size === 0) this.#changesOfState();
    this.#subscribers.add(subscriber);
    subscriber.sendAll(this.#snapshot());
    this.#askBudgets();
    return subscriber;
  }

  unsubscribe(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size > 0) return;
    this.#changed.clear();
    this.#shown.clear();
  }

  /** Ends all that listen; nothing else happens after it. Once is enough. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#batch);
    this.#unsubscribe();
    for (const subscriber of this.#subscribers) subscriber.end();
    this.#subscribers.clear();
  }

  #tick(): void {
    const sample: Sample = this.#sampler.tick(Date.now(), this.#sources.inFlight());
    if (this.#subscribers.size === 0) return;
    this.#send(this.#changesOfState() + frame('sample', sample));
    this.#askBudgets();
    const behind = [...this.#subscribers].filter(subscriber => subscriber.isBehind);
    if (behind.length === 0) return;
    const snapshot = this.#snapshot();
    for (const subscriber of behind) subscriber.sendAll(snapshot);
  }

  #onRecord(record: RequestRecord): void {
    if (this.#subscribers.size === 0) return;
    this.#changed.set(record.id, record);
    this.#batch ??= setTimeout(() => this.#sendRecords(), BATCH_MS).unref();
  }

  #sendRecords(): void {
    this.#batch = undefined;
    const known: string[] = [];
    const fresh: RequestRecord[] = [];
    for (const record of this.#changed.values()) {
      if (this.#shown.has(record.id)) known.push(this.#show(record));
      else fresh.push(record);
    }
    this.#changed.clear();
    const unlisted = fresh.splice(0, Math.max(0, fresh.length - MAX_NEW)).length;
    const listed = known.concat(fresh.map(record => this.#show(record))).join('');
    this.#send(unlisted > 0 ? listed + frame('unlisted', unlisted) : listed);
  }

  #show(record: RequestRecord): string {
    this.#note(record);
    return frame('request', withoutContent(record));
  }

  #note({ id, state }: RequestRecord): void {
    if (state === 'running') this.#shown.add(id);
    else this.#shown.delete(id);
  }

  #send(frames: string): void {
    if (frames === '') return;
    for (const subscriber of this.#subscribers) subscriber.send(frames);
  }

  /** Frames of what has changed since the last time. */
  #changesOfState(): string {
    return (
      this.#changes('hello', this.#sources.hello()) +
      this.#changes('nodes', this.#sources.nodes()) +
      this.#changes('circuits', this.#sources.circuits()) +
      this.#changes('budgets', this.#budgets)
    );
  }

  #changes<Name extends keyof ConsoleEvents>(name: Name, data: ConsoleEvents[Name]): string {
    const text = frame(name, data);
    if (this.#last.get(name) === text) return '';
    this.#last.set(name, text);
    return text;
  }

  #snapshot(): string {
    const requests = this.#journal.newest(MAX_LISTED);
    for (const record of requests) this.#note(record);
    const state = ['hello', 'nodes', 'circuits', 'budgets'] as const;
    return [
      ...state.map(name => this.#last.get(name) ?? ''),
      frame('history', [...this.#sampler.history]),
      frame('requests', requests.map(withoutContent)),
    ].join('');
  }

  #askBudgets(): void {
    const now = performance.now();
    if (this.#asking || now - this.#budgetsAt < BUDGETS_MS) return;
    this.#asking = true;
    this.#budgetsAt = now;
    this.#sources
      .budgets()
      .then(budgets => {
        this.#budgets = budgets;
        this.#send(this.#changes('budgets', budgets));
      })
      .catch(() => undefined)
      .finally(() => {
        this.#asking = false;
      });
  }
}

/** What was said is asked for one call at a time: a thousand prompts are no list. */
function withoutContent(record: RequestRecord): RequestRecord {
  const { content: _, ...rest } = record;
  return rest;
}

/** A server-sent event; JSON has no line breaks. */
function frame<Name extends keyof ConsoleEvents>(name: Name, data: ConsoleEvents[Name]): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
