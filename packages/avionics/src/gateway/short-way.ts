import type {
  AssistantMessage,
  CallSignal,
  DoneEvent,
  InferenceRequest,
  InferenceStream,
  InferenceStreamEvent,
} from '@x/airframe';
import type { CallLimiter } from '../limits/limiter.ts';
import type { LimitUsage } from '../limits/usage.ts';
import type { RouteDecision, RouteInferOptions } from '../nodes/node-tries.ts';
import type { LLMProvider } from '../providers/base.ts';
import type { CircuitBreaker } from '../routing/breaker.ts';
import type { Opening } from '../routing/fallback.ts';
import { SILENT_ATTEMPT } from '../telemetry/silent.ts';
import { type Source, sourceOf } from './answering.ts';
import type { CallClock } from './clock.ts';
import type { CallContext, Destination } from './context.ts';
import { Leaving } from './leaving.ts';
import type { CallLedger } from './ledger.ts';
import { prepared } from './prepared.ts';
import { type CompletionRequest, preparedFor, requestFor, timeoutsOf } from './request.ts';
import { type Allowance, allowanceOf, amountsAt, amountsOf, usedIn } from './reservation.ts';

/** How a call has begun. */
export interface Beginning {
  /** undefined: something is out of the ordinary; nobody has been asked. */
  short?: ShortWay;
  /** What the call may use, where that was asked; it may reject. */
  allowed?: Promise<Allowance> | undefined;
  /** Where it may go, where that was asked. */
  destinations?: readonly Destination[];
}

/** What may end a call. */
interface Ends {
  clock: CallClock;
  /** Fires when the caller goes. */
  left: CallSignal;
}

/**
 * Asks the first provider for a call that wants nothing but an answer, while all circuits are closed, no limit objects,
 * and nobody looks on: so it is with most calls, and all that is kept for the others costs several times as much. Never
 * rejects: what is wrong with a call is told on the long way.
 */
export async function shortWay(
  asked: CompletionRequest,
  context: CallContext,
  ends: Ends,
): Promise<Beginning> {
  const beginning: Beginning = {};
  try {
    if (!isPlain(asked, context)) return beginning;
    ends.clock.limit(timeoutsOf(asked));
    const { request } = prepared(asked);
    const destinations = context.destinations();
    beginning.destinations = destinations;
    const [first] = destinations;
    if (!first || context.breakers.sorted(destinations).open.length > 0) return beginning;
    const provider = first.provider();
    const sent = preparedFor(provider, requestFor(request, first.model, first.defaults));
    const { limiter } = context;
    if (limiter)
      beginning.allowed = allowing(limiter, asked, { context, destinations, request, provider, sent, ends });
    const allowance = await beginning.allowed;
    if (allowance?.refusal || ends.left.aborted) return beginning;
    const routes: RouteDecision[] = [];
    const ending = new Leaving();
    const stream = provider.infer(sent, optionsOf(asked, context, ends.clock, { routes, ending }));
    const opening = { name: first.name, provider, model: first.model, telemetry: SILENT_ATTEMPT, stream };
    const breaker = context.breakers.of(first.name);
    beginning.short = new ShortWay({ opening, routes, ending, breaker, allowance });
  } catch {
    // The long way comes to it again.
  }
  return beginning;
}

/** No cache, no tools, no schema, no telemetry. */
function isPlain({ schema, tools, cache }: CompletionRequest, context: CallContext): boolean {
  if (schema || tools || context.resourceCallback) return false;
  return (!context.cache || cache === false) && context.telemetry.isSilent;
}

interface ShortWayParts {
  opening: Opening;
  routes: RouteDecision[];
  ending: Leaving;
  breaker: CircuitBreaker;
  allowance: Allowance | undefined;
}

/** The answer of a call's first provider, while it comes as it should. */
export class ShortWay {
  readonly #parts: ShortWayParts;
  readonly source: Source;
  #hasOutput = false;
  #limits: readonly LimitUsage[] | undefined;
  /** All has come, and is being booked; resolves when it is. */
  closing: Promise<void> | undefined;

  constructor(parts: ShortWayParts) {
    this.#parts = parts;
    this.source = sourceOf(parts.opening);
  }

  get stream(): InferenceStream {
    return this.#parts.opening.stream;
  }

  get routes(): readonly RouteDecision[] {
    return this.#parts.routes;
  }

  /** The limits that let the call in, as they stood then. */
  get limits(): readonly LimitUsage[] {
    this.#limits ??= this.#parts.allowance?.reservation.limits ?? [];
    return this.#limits;
  }

  /** For the long way, which goes on from here. */
  get begun(): Begun {
    const { opening, routes, ending } = this.#parts;
    return { opening, routes, ending, hasOutput: this.#hasOutput };
  }

  /** The next event, when it lies there already. */
  poll(): InferenceStreamEvent | undefined {
    return this.#parts.opening.stream.poll?.();
  }

  /** Output has come. */
  answered(): void {
    if (this.#hasOutput) return;
    this.#hasOutput = true;
    this.#parts.breaker.answered();
  }

  /** The answer is whole. */
  settle(ledger: CallLedger, done: DoneEvent, message: AssistantMessage | undefined): void {
    const { opening, breaker, allowance } = this.#parts;
    breaker.succeeded();
    ledger.book(opening, done, undefined, message);
    if (!allowance) return;
    const settled = allowance.reservation.settle(usedIn(ledger));
    if (!allowance.reservation.isLocal) this.closing = settled;
  }

  stop(): void {
    this.#parts.ending.abort();
  }
}

/** A provider's answer that has begun. */
export interface Begun {
  opening: Opening;
  /** Nodes it was sent to. */
  routes: RouteDecision[];
  /** Ends it. */
  ending: Leaving;
  /** Some of it has been put out. */
  hasOutput: boolean;
}

interface Wanted {
  context: CallContext;
  destinations: readonly Destination[];
  request: InferenceRequest;
  /** The first destination's, and what it is to be sent. */
  provider: LLMProvider;
  sent: InferenceRequest;
  ends: Ends;
}

function allowing(
  limiter: CallLimiter,
  { key, tags }: CompletionRequest,
  { context, destinations, request, provider, sent, ends }: Wanted,
): Promise<Allowance> {
  const { agentName } = context;
  const amounts = destinations.map((destination, index) =>
    index === 0 ? amountsAt(provider, sent) : amountsOf(destination, request),
  );
  return allowanceOf(limiter, { agentName, key, tags }, { destinations, amounts }, ends);
}

function optionsOf(
  { nodeTags, headers }: CompletionRequest,
  { agentName }: CallContext,
  { timeouts }: CallClock,
  { routes, ending }: Pick<Begun, 'routes' | 'ending'>,
): RouteInferOptions {
  const options: RouteInferOptions = {
    signal: ending,
    agentName,
    onRoute: decision => void routes.push(decision),
  };
  if (timeouts) options.timeouts = timeouts;
  if (headers) options.headers = { ...headers };
  if (nodeTags) options.tags = nodeTags;
  return options;
}
