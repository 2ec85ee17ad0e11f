import type {
  AssistantMessage,
  CallSignal,
  DoneEvent,
  InferenceRequest,
  InferenceStream,
  InferenceStreamEvent,
} from '@x/airframe';
import type { LimitUsage } from '../limits/usage.ts';
import type { RouteDecision, RouteInferOptions } from '../nodes/node-tries.ts';
import type { LLMProvider } from '../providers/base.ts';
import type { CircuitBreaker } from '../routing/breaker.ts';
import type { Opening } from '../routing/fallback.ts';
import { SILENT_ATTEMPT } from '../telemetry/silent.ts';
import { type Source, sourceOf } from './answering.ts';
import type { CallClock } from './clock.ts';
import type { CallContext, Destination } from './context.ts';
import { endingBy, Leaving } from './leaving.ts';
import type { CallLedger } from './ledger.ts';
import { prepared } from './prepared.ts';
import { type CompletionRequest, preparedFor, requestFor, timeoutsOf } from './request.ts';
import { type Allowance, allowanceNow, allowanceOf, amountsAt, amountsOf, usedIn } from './reservation.ts';

/** How a call has begun. */
export interface Beginning {
  /** undefined: something is out of the ordinary; nobody has been asked. */
  short?: ShortWay;
  /** What the call may use, where that was asked; a promise may reject. */
  allowed?: Allowance | Promise<Allowance>;
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
 * and nobody looks on: so it is with most calls, and all that is kept for the others costs several times as much. Neither
 * throws nor rejects: what is wrong with a call that cannot begin is told on the long way. Waits only for limits that are
 * kept elsewhere.
 */
export function shortWay(
  asked: CompletionRequest,
  context: CallContext,
  ends: Ends,
): Beginning | Promise<Beginning> {
  const beginning: Beginning = {};
  try {
    if (!isPlain(asked, context)) return beginning;
    ends.clock.limit(timeoutsOf(asked));
    const { request } = prepared(asked);
    const destinations = context.destinations();
    beginning.destinations = destinations;
    const [first] = destinations;
    if (!first || context.breakers.sorted(destinations).open.length > 0) return beginning;
    // A call that probes a circuit is out of the ordinary.
    if (context.breakers.of(first.name).state !== 'closed') return beginning;
    const provider = first.provider();
    const sent = preparedFor(provider, requestFor(request, first.model, first.defaults));
    const take = (allowance?: Allowance): Beginning => {
      if (allowance?.refusal || ends.left.aborted) return beginning;
      beginning.short = opened({ asked, context, clock: ends.clock, first, provider, sent, allowance });
      return beginning;
    };
    const { limiter } = context;
    if (!limiter) return take();
    const amounts = destinations.map((destination, index) =>
      index === 0 ? amountsAt(provider, sent) : amountsOf(destination, request),
    );
    const payer = { agentName: context.agentName, key: asked.key, tags: asked.tags };
    const now = allowanceNow(limiter, payer, amounts);
    const allowed = now ?? allowanceOf(limiter, payer, { destinations, amounts }, ends);
    beginning.allowed = allowed;
    return now
      ? take(now)
      : Promise.resolve(allowed)
          .then(take)
          .catch(() => beginning);
  } catch {
    return beginning;
  }
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
  #isAnswering = false;
  /** The consumer has been given something. */
  hasOutput = false;
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
    return { opening, routes, ending, isAnswering: this.#isAnswering, hasOutput: this.hasOutput };
  }

  /** The next event, when it lies there already. */
  poll(): InferenceStreamEvent | undefined {
    return this.#parts.opening.stream.poll?.();
  }

  /** Output has come. */
  answered(): void {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    this.#parts.breaker.answered();
  }

  /** The answer is whole. */
  settle(ledger: CallLedger, done: DoneEvent, message: AssistantMessage | undefined): void {
    const { opening, breaker, allowance } = this.#parts;
    breaker.succeeded();
    ledger.book(opening, done, undefined, message);
    if (!allowance) return;
    const settled = allowance.reservation.settle(usedIn(ledger));
    // Whoever waits for it hears of it.
    settled.catch(() => {});
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
  /** Some output has come. */
  isAnswering: boolean;
  /** The consumer has been given some of it. */
  hasOutput: boolean;
}

interface Start {
  asked: CompletionRequest;
  context: CallContext;
  clock: CallClock;
  first: Destination;
  provider: LLMProvider;
  /** What it gets. */
  sent: InferenceRequest;
  allowance: Allowance | undefined;
}

function opened({ asked, context, clock, first, provider, sent, allowance }: Start): ShortWay {
  const { name, model } = first;
  const routes: RouteDecision[] = [];
  const ending = new Leaving();
  const stream = provider.infer(sent, optionsOf(asked, context, clock, { routes, ending }));
  const opening = { name, provider, model, telemetry: SILENT_ATTEMPT, stream };
  return new ShortWay({ opening, routes, ending, breaker: context.breakers.of(name), allowance });
}

function optionsOf(
  { nodeTags, headers }: CompletionRequest,
  { agentName }: CallContext,
  { timeouts }: CallClock,
  { routes, ending }: Pick<Begun, 'routes' | 'ending'>,
): RouteInferOptions {
  const options = endingBy<RouteInferOptions>(
    { agentName, onRoute: (decision: RouteDecision) => void routes.push(decision) },
    ending,
  );
  if (timeouts) options.timeouts = timeouts;
  if (headers) options.headers = { ...headers };
  if (nodeTags) options.tags = nodeTags;
  return options;
}
