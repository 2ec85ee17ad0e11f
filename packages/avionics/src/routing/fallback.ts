import {
  AirframeError,
  type DoneEvent,
  type InferenceStream,
  type InferenceStreamEvent,
  isOutput,
} from '@x/airframe';
import type { LLMProvider } from '../providers/base.ts';
import type { AttemptTelemetry } from '../telemetry/attempt.ts';

/** A call that has been started at a provider. */
export interface Opening {
  /** Name the provider is configured by. */
  name: string;
  provider: LLMProvider;
  /** Model asked for; undefined: the provider's own. */
  model: string | undefined;
  stream: InferenceStream;
  telemetry: AttemptTelemetry;
}

/** One provider that may answer. */
export interface Candidate {
  /** Name it is configured by. */
  readonly name: string;
  /** It has been asked already, and {@link open} gives that call. */
  readonly isAsked?: boolean;
  /** Starts the call; may throw when there is no such provider. */
  open(): Opening;
}

/** A provider that did not answer. */
export interface Failure {
  name: string;
  error: AirframeError;
  /** Absent when the provider could not even be made. */
  opening?: Opening;
  done?: DoneEvent;
}

/** The provider that answers, and what it has said so far. */
export interface Answer extends Opening {
  candidate: Candidate;
  /** Events read already: up to the first output, or to a good `done` without any. */
  head: InferenceStreamEvent[];
}

export interface FallbackHooks {
  /** Called before each try; what it throws ends the search. */
  before(name: string): void;
  onFailure(failure: Failure): void;
}

/** Codes of an invalid request that another provider may well take: what this one lacks, or how it is set up. */
const OF_ONE_PROVIDER: ReadonlySet<string | undefined> = new Set(['unsupported', 'configuration']);

/** Statuses by which a backend refuses the request as such; undefined: refused before it was sent. */
const REFUSED: ReadonlySet<number | undefined> = new Set([undefined, 400, 422]);

/** Ends of a call that no other provider would change: the caller's wish, and the caller's mistake. */
export function isFinal({ category, code, status }: AirframeError): boolean {
  if (category === 'aborted') return true;
  return category === 'invalid_request' && !OF_ONE_PROVIDER.has(code) && REFUSED.has(status);
}

/**
 * Asks one provider after the other until one puts out content. From then on the answer is that provider's: an
 * error after the first output is the caller's to see.
 * @param queue who is asked is taken from it
 * @throws AirframeError when none answers: the only error there was, or one that names all of them
 */
export async function firstToAnswer(queue: Candidate[], hooks: FallbackHooks): Promise<Answer> {
  const failures: Failure[] = [];
  for (let candidate = queue.shift(); candidate; candidate = queue.shift()) {
    if (!candidate.isAsked) hooks.before(candidate.name);
    const outcome = await attempt(candidate);
    if ('head' in outcome) return outcome;
    failures.push(outcome);
    hooks.onFailure(outcome);
    // A provider that cannot be made is a matter of configuration, whatever its error says.
    if (outcome.opening && isFinal(outcome.error)) throw outcome.error;
  }
  throw combined(failures);
}

async function attempt(candidate: Candidate): Promise<Answer | Failure> {
  const { name } = candidate;
  let opening: Opening | undefined;
  let error: AirframeError | undefined;
  const head: InferenceStreamEvent[] = [];
  try {
    opening = candidate.open();
    const { stream, telemetry } = opening;
    // By hand: leaving a `for await` would close a stream that is only at its beginning.
    for (;;) {
      const { value: event } = await telemetry.run(() => stream.next());
      if (event === undefined) break;
      if (event.type === 'error') {
        error = event.error;
        continue;
      }
      if (event.type === 'done' && error) return { name, error, opening, done: event };
      head.push(event);
      if (isOutput(event)) telemetry.chunk();
      if (event.type === 'done' || isOutput(event)) {
        const { provider, model } = opening;
        return { name, provider, model, stream, telemetry, candidate, head };
      }
    }
    error ??= new AirframeError('unknown', `provider ${name} ended its stream without a done event`);
  } catch (thrown) {
    error = AirframeError.from(thrown);
  }
  return opening ? { name, error, opening } : { name, error };
}

/** The error of a call that has nowhere to go. */
export function noProvider(): AirframeError {
  return new AirframeError('invalid_request', 'no LLM provider is configured; set LLM_PROVIDER');
}

/** The one error of a call that nobody answered. */
function combined(failures: readonly Failure[]): AirframeError {
  const [first] = failures;
  if (!first) return noProvider();
  if (failures.length === 1) return first.error;
  // What may pass by itself tells the caller more than what will not.
  const { error } = failures.find(failure => failure.error.retryable) ?? first;
  const all = failures.map(failure => `${failure.name}: ${failure.error.message}`).join(' | ');
  return new AirframeError(error.category, `all ${failures.length} LLM providers failed: ${all}`, error);
}
