import { AirframeError, type CallSignal, type InferenceRequest } from '@x/airframe';
import { toNanoUsd } from '../cost/money.ts';
import type { Amounts, CallLimiter, LimitedCall, Reservation } from '../limits/limiter.ts';
import type { LLMProvider } from '../providers/base.ts';
import { type CallClock, until } from './clock.ts';
import type { Destination } from './context.ts';
import type { CallLedger } from './ledger.ts';
import { preparedFor, requestFor } from './request.ts';

/** Who makes a call, as far as limits go by it. */
export interface Payer {
  agentName: string;
  key: string | undefined;
  tags: readonly string[] | undefined;
}

/** What a call may use, and whom it may ask for it. */
export interface Allowance {
  reservation: Reservation;
  /** Too dear for what is left of a budget. */
  leftOut: readonly Destination[];
  /** The limit that keeps them out. */
  refusal?: AirframeError;
}

/** A wait that nothing ends. */
const NEVER = { signal: undefined, done: (): void => {} };

/** What a call has come to. */
type Spent = Pick<CallLedger, 'attempts' | 'billed' | 'costUsd'>;

/**
 * Takes what a call may use, whoever of the destinations answers, from all limits that are for it. Where a budget is
 * used up and the first one costs nothing, it is left with those that cost nothing.
 * @param clock and
 * @param left end the wait for a limiter
 * @throws AirframeError (rate_limit, quota) when a limit is used up; (aborted, timeout)
 */
export async function allowanceOf(
  limiter: CallLimiter,
  payer: Payer,
  asked: { destinations: readonly Destination[]; amounts: readonly Amounts[] },
  { clock, left }: { clock: CallClock; left: CallSignal | undefined },
): Promise<Allowance> {
  const { amounts } = asked;
  // What answers at once needs no end to the wait for it.
  const { signal, done } = limiter.isLocal ? NEVER : clock.ending(left);
  try {
    return { reservation: await reserve(limiter, payer, amounts, signal), leftOut: [] };
  } catch (error) {
    const isDear = (index: number) => (amounts[index]?.nanoUsd ?? 0) > 0;
    const leftOut = asked.destinations.filter((_, index) => isDear(index));
    const refusal = AirframeError.from(error);
    if (refusal.code !== 'limit_reached' || leftOut.length === 0 || isDear(0)) throw refusal;
    const free = amounts.filter(({ nanoUsd }) => nanoUsd === 0);
    return { reservation: await reserve(limiter, payer, free, signal), leftOut, refusal };
  } finally {
    done();
  }
}

/**
 * What one call may use: taken for each of its turns before it is made, so that an answer taken up, begun anew or mended
 * is within limits like any other.
 */
export class CallBudget {
  readonly #allow: () => Promise<Allowance>;
  #allowed: Allowance | Promise<Allowance> | undefined;
  readonly #ledger: Spent;
  #reservation: Reservation | undefined;
  /** What earlier turns have been settled with. */
  #settled = { attempts: 0, tokens: 0, nanoUsd: 0 };

  /**
   * @param ledger of the whole call
   * @param allowed for the first turn, where that has been asked already
   */
  constructor(allow: () => Promise<Allowance>, ledger: Spent, allowed?: Allowance | Promise<Allowance>) {
    this.#allow = allow;
    this.#ledger = ledger;
    this.#allowed = allowed;
  }

  /** For the first turn. @throws as {@link allowanceOf} does */
  async open(): Promise<Allowance> {
    const allowed = this.#allowed ?? this.#allow();
    this.#allowed = undefined;
    const allowance = await allowed;
    this.#reservation = allowance.reservation;
    return allowance;
  }

  /** For a further turn. @throws as {@link allowanceOf} does, where providers that cost nothing are not enough, too */
  async renew(): Promise<void> {
    await this.close();
    const { refusal } = await this.open();
    if (refusal) throw refusal;
  }

  /** What has been used stays taken; a turn that asked nobody was never made. */
  async close(): Promise<void> {
    const reservation = this.#reservation;
    this.#reservation = undefined;
    const before = this.#settled;
    const { length: attempts } = this.#ledger.attempts;
    const { tokens, nanoUsd: spent } = usedIn(this.#ledger);
    this.#settled = { attempts, tokens, nanoUsd: spent };
    if (attempts === before.attempts) return reservation?.release();
    const nanoUsd = Math.max(0, spent - before.nanoUsd);
    await reservation?.settle({ tokens: Math.max(0, tokens - before.tokens), nanoUsd });
  }
}

/** What a call has used so far. A backend's figures may make no sense, and must not cost the caller the answer. */
export function usedIn({ billed, costUsd }: Pick<Spent, 'billed' | 'costUsd'>): Amounts {
  return { tokens: counted(Math.ceil(billed.totalTokens)), nanoUsd: counted(toNanoUsd(costUsd)) };
}

function counted(amount: number): number {
  return Math.min(Math.max(0, amount), Number.MAX_SAFE_INTEGER) || 0;
}

/**
 * {@link allowanceOf} without a wait.
 * @returns undefined: the limiter has to be waited for
 * @throws AirframeError (rate_limit, quota) when a limit is used up
 */
export function allowanceNow(
  limiter: CallLimiter,
  payer: Payer,
  amounts: readonly Amounts[],
): Allowance | undefined {
  const reservation = limiter.reserveNow?.(limitedCallOf(payer, amounts));
  return reservation && { reservation, leftOut: NOBODY };
}

const NOBODY: readonly Destination[] = [];

/** The most that any of them may use. */
function limitedCallOf({ agentName, key, tags }: Payer, amounts: readonly Amounts[]): LimitedCall {
  let tokens = 0;
  let nanoUsd = 0;
  for (const amount of amounts) {
    tokens = Math.max(tokens, amount.tokens);
    nanoUsd = Math.max(nanoUsd, amount.nanoUsd);
  }
  return { agent: agentName, keys: key === undefined ? NO_KEYS : [key], tags, tokens, nanoUsd };
}

const NO_KEYS: readonly string[] = [];

async function reserve(
  limiter: CallLimiter,
  payer: Payer,
  amounts: readonly Amounts[],
  signal: AbortSignal | undefined,
): Promise<Reservation> {
  const reserving = limiter.reserve(limitedCallOf(payer, amounts));
  if (!signal) return reserving;
  try {
    return await until(reserving, signal);
  } catch (error) {
    // What comes too late is given back.
    if (signal.aborted) void reserving.then(reservation => reservation.release()).catch(() => {});
    throw error;
  }
}

/** Of a destination that cannot be made, nothing: it is told when the call itself comes to it. */
export function amountsOf(
  { provider: find, model, defaults }: Destination,
  request: InferenceRequest,
): Amounts {
  try {
    const provider = find();
    return amountsAt(provider, preparedFor(provider, requestFor(request, model, defaults)));
  } catch {
    return { tokens: 0, nanoUsd: 0 };
  }
}

/** @param request as the provider gets it */
export function amountsAt(provider: LLMProvider, request: InferenceRequest): Amounts {
  const { promptTokens, completionTokens, costUsd, priced } = provider.estimateOf(request);
  // A price that nobody knows is not none: a budget used up keeps such a call back as well.
  return { tokens: promptTokens + completionTokens, nanoUsd: priced ? toNanoUsd(costUsd, 'up') : 1 };
}
