/**
 * What becomes of a stream:
 * `busy_once`: the first provider refuses it once; `busy`: each time, and the second one answers; `down`: so does
 * that; `reset`: it breaks off in the middle; `leave`, `abort`: its consumer goes.
 */
export type Fate = 'whole' | 'busy_once' | 'busy' | 'down' | 'reset' | 'leave' | 'abort';

/** One stream, and all that is to come of it. Goes to the backend as the prompt. */
export interface Plan {
  id: number;
  agent: string;
  fate: Fate;
  /** What its caller wants of an answer that breaks off. */
  midStream: 'fail' | 'continue' | 'restart';
  promptTokens: number;
  /** Pieces of the whole answer; a token each. */
  pieces: number;
  /** Pieces up to the break; undefined: there is none. */
  cut: number | undefined;
}

/** Who is asked first, and who next. */
export type ProviderName = 'openai' | 'anthropic';

/** Of GPT-4 and Sonnet 4.5, in billionths of a USD a token. */
const NANO_USD: Record<ProviderName, [prompt: number, completion: number]> = {
  openai: [30_000, 60_000],
  anthropic: [3_000, 15_000],
};

/** Of 21 streams in turn; the others come whole. */
const FAULTS: readonly Fate[] = [
  'reset',
  'busy',
  'leave',
  'busy_once',
  'reset',
  'abort',
  'down',
  'leave',
  'busy',
  'reset',
  'busy_once',
  'abort',
];
const TURN = 21;

/** Streams of a wave: one in 21 is refused by everybody, and the others run at the same time. */
export const STREAMS = 1_050;
export const AT_ONCE = 1_000;

/** Figures are spread so that no two sums are alike by chance. */
export function planOf(id: number): Plan {
  const fate = FAULTS[id % TURN] ?? 'whole';
  const pieces = 8 + ((id * 7) % 33);
  const cuts: Partial<Record<Fate, number>> = {
    reset: 2 + (id % (pieces - 2)),
    leave: 2 + (id % 6),
    abort: 1,
  };
  return {
    id,
    agent: `agent-${(id * 5) % 16}`,
    fate,
    midStream: (['fail', 'continue', 'restart'] as const)[Math.floor(id / TURN) % 3] ?? 'fail',
    promptTokens: 10 + ((id * 13) % 97),
    pieces,
    cut: cuts[fate],
  };
}

/** Pieces of an answer; the backend makes the same. */
export function piecesOf(id: number, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => ` ${id}.${from + index}`);
}

/** What one provider has had of a stream. */
export interface Share {
  provider: ProviderName;
  promptTokens: number;
  completionTokens: number;
}

/** All that is billed for a stream. Whoever takes an answer up gets what there is of it as further prompt. */
export function sharesOf(plan: Plan): Share[] {
  const { fate, midStream, promptTokens, pieces, cut } = plan;
  if (fate === 'down') return [];
  if (fate === 'busy') return [{ provider: 'anthropic', promptTokens, completionTokens: pieces }];
  const first: Share = { provider: 'openai', promptTokens, completionTokens: cut ?? pieces };
  if (fate !== 'reset' || midStream === 'fail') return [first];
  const done = midStream === 'continue' ? (cut ?? 0) : 0;
  const rest: Share = {
    provider: 'anthropic',
    promptTokens: promptTokens + done,
    completionTokens: pieces - done,
  };
  return [first, rest];
}

export interface Bill {
  promptTokens: number;
  completionTokens: number;
  /** Whole billionths of a USD, for these add up exactly. */
  nanoUsd: number;
}

export function billOf(shares: readonly Share[]): Bill {
  const bill = { promptTokens: 0, completionTokens: 0, nanoUsd: 0 };
  for (const { provider, promptTokens, completionTokens } of shares) {
    const [prompt, completion] = NANO_USD[provider];
    bill.promptTokens += promptTokens;
    bill.completionTokens += completionTokens;
    bill.nanoUsd += promptTokens * prompt + completionTokens * completion;
  }
  return bill;
}

/** Bills of all together, by provider and by agent. */
export interface Books {
  total: Bill;
  providers: Record<string, Bill>;
  agents: Record<string, Bill>;
}

/** Adds the bill of a stream. */
export function enter(books: Books, plan: Plan): void {
  const shares = sharesOf(plan);
  const { providers, agents } = books;
  for (const share of shares) {
    providers[share.provider] = sum(providers[share.provider], billOf([share]));
  }
  agents[plan.agent] = sum(agents[plan.agent], billOf(shares));
  books.total = sum(books.total, billOf(shares));
}

function sum(one: Bill | undefined, other: Bill): Bill {
  if (!one) return other;
  return {
    promptTokens: one.promptTokens + other.promptTokens,
    completionTokens: one.completionTokens + other.completionTokens,
    nanoUsd: one.nanoUsd + other.nanoUsd,
  };
}
