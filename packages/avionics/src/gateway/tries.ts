import {
  AirframeError,
  type CallSignal,
  type DoneEvent,
  type InferenceRequest,
  type InferenceStream,
} from '@x/airframe';
import type { RouteDecision, RouteInferOptions } from '../nodes/node-tries.ts';
import { type Answer, type Candidate, firstToAnswer, type Opening } from '../routing/fallback.ts';
import type { AttemptTelemetry } from '../telemetry/attempt.ts';
import { loggedReasonOf } from '../telemetry/attributes.ts';
import type { OperationTelemetry } from '../telemetry/operation.ts';
import type { CallClock } from './clock.ts';
import type { CallContext, Destination } from './context.ts';
import { endingBy, Leaving } from './leaving.ts';
import type { CallLedger } from './ledger.ts';
import { isStopped, type Meter } from './meter.ts';
import type { ReplySoFar } from './reply-so-far.ts';
import { preparedFor, requestFor } from './request.ts';
import type { SkippedProvider } from './response.ts';
import type { Begun } from './short-way.ts';

export interface TriesOptions {
  context: CallContext;
  /** In the order they are to be tried. */
  destinations: readonly Destination[];
  requestId: string;
  /** Nodes must have all of them. */
  nodeTags: readonly string[] | undefined;
  /** The caller's, for the provider. */
  headers: Readonly<Record<string, string>> | undefined;
  clock: CallClock;
  meter: Meter;
  ledger: CallLedger;
  operation: OperationTelemetry;
  /** Fires when the caller goes. */
  left: CallSignal;
  /** The try that is under way already. */
  begun: Pick<Begun, 'opening' | 'routes' | 'ending'> | undefined;
}

/** The providers that one call asks, one after the other, each accounted for. */
export class CallTries {
  readonly #call: TriesOptions;
  readonly skipped: SkippedProvider[] = [];
  /** Nodes the call was sent to, and why; the last one has the answer. */
  readonly routes: RouteDecision[];
  readonly #leftOut = new Set<Destination>();
  #fellBack = false;
  /** Ends the try under way. */
  #ending: Leaving | undefined;

  constructor(call: TriesOptions) {
    this.#call = call;
    this.routes = call.begun?.routes ?? [];
    this.#ending = call.begun?.ending;
  }

  /** These are not to be asked: a limit keeps them out. */
  leaveOut(destinations: readonly Destination[], { message, retryAfterMs = 0 }: AirframeError): void {
    for (const destination of destinations) {
      const { name } = destination;
      this.#leftOut.add(destination);
      this.skipped.push({ provider: name, reason: 'limit_reached', retryInMs: Math.ceil(retryAfterMs) });
      const { requestId, context } = this.#call;
      context.logger.debug(`provider ${name} is left out`, { requestId, error: message });
    }
  }

  /** Providers with open circuits are passed over, but for the least bad: it is asked when all others have failed. */
  queue(request: () => InferenceRequest): Candidate[] {
    const { breakers } = this.#call.context;
    const { destinations } = this.#call;
    const left =
      this.#leftOut.size === 0 ? destinations : destinations.filter(one => !this.#leftOut.has(one));
    const { ask, open } = breakers.sorted(left);
    const [leastBad, ...rest] = open;
    const passedOver = ask.length === 0 ? rest : open;
    for (const { name } of passedOver) {
      // It is answering: others have opened the circuit meanwhile.
      if (name === this.#call.begun?.opening.name) continue;
      const retryInMs = Math.ceil(breakers.of(name).opensInMs);
      this.skipped.push({ provider: name, reason: 'circuit_open', retryInMs });
    }
    return [...ask, ...(leastBad ? [leastBad] : [])].map(one => this.candidate(one, request));
  }

  candidate(destination: Destination, request: () => InferenceRequest): Candidate {
    return { name: destination.name, open: () => this.#open(destination, request()) };
  }

  /**
   * The first that puts something out.
   * @param queue who is asked is taken from it
   * @throws AirframeError when none answers, no time is left, or the caller may not go on
   */
  async first(queue: Candidate[]): Promise<Answer> {
    const { context, clock, meter, ledger, requestId } = this.#call;
    const { breakers, stats, logger, agentName } = context;
    const answer = await firstToAnswer(queue, {
      before: name => {
        clock.check();
        meter.admit();
        breakers.of(name).began();
      },
      onFailure: failure => {
        ledger.bookFailure(failure);
        const { name, error } = failure;
        breakers.of(name).failed(error);
        logger.warn(`provider ${name} failed`, { requestId, agentName, error: loggedReasonOf(error) });
      },
    });
    const { name } = answer.candidate;
    breakers.of(name).answered();
    if (name !== this.#call.destinations[0]?.name && !this.#fellBack) {
      this.#fellBack = true;
      stats.fellBack();
    }
    return answer;
  }

  /** Accounts for the answering provider's part; a stream still open is stopped and read to its `done`. */
  async settle(answer: Answer, reply: ReplySoFar): Promise<void> {
    if (!reply.done) {
      this.stop();
      reply.done = await doneOf(answer);
    }
    const { error, done, message } = reply;
    const breaker = this.#call.context.breakers.of(answer.candidate.name);
    if (error && !isCallers(error)) breaker.failed(error);
    else breaker.succeeded();
    this.#call.ledger.book(answer, done, error, message);
  }

  /** Ends the try under way. */
  stop(): void {
    this.#ending?.abort();
  }

  #open({ name, model, defaults, provider: find }: Destination, request: InferenceRequest): Opening {
    const { context, clock, operation, left, nodeTags, headers } = this.#call;
    const ending = new Leaving();
    this.#ending = ending;
    if (left.aborted) ending.abort();
    const provider = find();
    const prepared = preparedFor(provider, requestFor(request, model, defaults));
    const { baseUrl } = provider;
    const asked = prepared.model ?? provider.defaultModel;
    const telemetry = operation.attempt({
      provider: provider.name,
      model: asked,
      baseUrl,
      request: prepared,
    });
    const options = endingBy<RouteInferOptions>(
      {
        agentName: context.agentName,
        onRoute: (decision: RouteDecision) => this.#routed(decision, telemetry),
      },
      ending,
    );
    const { timeouts } = clock;
    const sent = merged(headers, telemetry.headers());
    if (timeouts) options.timeouts = timeouts;
    if (sent) options.headers = sent;
    if (nodeTags) options.tags = nodeTags;
    try {
      return { name, provider, model, telemetry, stream: provider.infer(prepared, options) };
    } catch (thrown) {
      // Nobody else would: a call that was never opened has no end.
      telemetry.ended({ error: AirframeError.from(thrown) });
      throw thrown;
    }
  }

  #routed(decision: RouteDecision, telemetry: AttemptTelemetry): void {
    this.routes.push(decision);
    telemetry.routed(decision);
  }
}

function merged(
  own: Readonly<Record<string, string>> | undefined,
  traced: Record<string, string> | undefined,
): Record<string, string> | undefined {
  return own ? { ...own, ...traced } : traced;
}

/** An answer that was coming, and whose end says nothing of its provider. */
function isCallers(error: AirframeError): boolean {
  return isStopped(error) || error.code === 'total_timeout';
}

/** Reads a stopped stream to its end, for the usage. */
async function doneOf({ stream }: { stream: InferenceStream }): Promise<DoneEvent | undefined> {
  try {
    for await (const event of stream) if (event.type === 'done') return event;
  } catch {
    // The provider breaks the stream contract; the error that ended the call says more.
  }
  return undefined;
}

export function endless({ provider }: Opening): AirframeError {
  return new AirframeError('unknown', `provider ${provider.name} ended its stream without a done event`);
}
