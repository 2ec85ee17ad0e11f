import type { NodeState } from './node-state.ts';

/** A node as one call sees it. */
export interface Candidate {
  node: NodeState;
  /** Tokens of the prompt it should hold. */
  cachedTokens: number;
  /** Milliseconds to the first output, expected; comparable even where nothing has been measured. */
  expectedMs: number;
  /** The same, and what the call costs those that come after it. */
  price: number;
}

/** A node's own speed counts where it differs from that of all by this factor: less is noise. */
const CLEARLY = 2;
/** A node that has not been heard of for so long counts half as itself, half as the average node; milliseconds. */
const STALE_MS = 30_000;
/** How much later than expected a node that always fails is taken to answer, as a factor. */
const FAILURE_WEIGHT = 4;
/**
 * What a token to be evaluated costs others, as a multiple of its own time: calls behind it wait, and another prompt
 * has to go for it, which comes back and has to be evaluated again.
 */
export const OTHERS_WEIGHT = 2;

/**
 * @param prompt its tokens, and those of them that the node should hold
 * @param ofAll milliseconds for a token of work, as is usual among the nodes
 */
export function candidateOf(
  node: NodeState,
  { tokens, cachedTokens }: { tokens: number; cachedTokens: number },
  ofAll: number,
  now: number,
): Candidate {
  const uncached = tokens - cachedTokens;
  const own = node.msPerToken.value ?? ofAll;
  const differs = own > ofAll * CLEARLY || own * CLEARLY < ofAll;
  const errorRate = node.errorRate.value ?? 0;
  let perToken = ofAll;
  if (differs || errorRate > 0) {
    const fresh = 0.5 ** ((now - node.heardAt) / STALE_MS);
    if (differs) perToken += (own - ofAll) * fresh;
    perToken *= 1 + FAILURE_WEIGHT * fresh * errorRate;
  }
  const work = node.work(uncached);
  const price = (work + OTHERS_WEIGHT * uncached) * perToken;
  return { node, cachedTokens, expectedMs: work * perToken, price };
}
