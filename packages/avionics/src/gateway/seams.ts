import type { InferenceRequest, Message } from '@x/airframe';
import { type Candidate, isFinal } from '../routing/fallback.ts';
import type { ReplySoFar } from './reply-so-far.ts';
import type { MidStreamPolicy } from './request.ts';
import type { Seam } from './response.ts';
import { misfit, repairMessages, type StructuredOutput } from './structured.ts';

/** Times one call may begin again in the middle of an answer: a text that breaks everybody's stream must end. */
const MAX_FAILURE_SEAMS = 3;

const CONTINUE =
  'Your answer was cut off by a broken connection. Go on exactly where it stops, without repeating any of it.';

/** How a call goes on after an answer that is not good. */
export interface Turn {
  seam: Omit<Seam, 'from' | 'to'>;
  /** Who is asked next. */
  queue: Candidate[];
  /** What stands behind the request's own messages. */
  messages: Message[];
  /** What has been said already, where the next one goes on behind it. */
  said?: string;
}

/** Decides what becomes of an answer that broke off, or does not fit its schema. */
export class SeamKeeper {
  readonly #policy: MidStreamPolicy;
  readonly #structured: StructuredOutput | undefined;
  #failures = 0;
  #repaired = false;
  /** Those that broke off and were asked again: once each. */
  readonly #again = new Set<Candidate>();

  constructor(policy: MidStreamPolicy, structured: StructuredOutput | undefined) {
    this.#policy = policy;
    this.#structured = structured;
  }

  /**
   * @param rest those not asked yet
   * @returns undefined: the reply stands as it is, with its error if it has one
   */
  after(reply: ReplySoFar, candidate: Candidate, rest: readonly Candidate[]): Turn | undefined {
    return reply.error
      ? this.#afterFailure(reply, candidate, rest)
      : this.#afterAnswer(reply, candidate, rest);
  }

  #afterFailure(reply: ReplySoFar, candidate: Candidate, rest: readonly Candidate[]): Turn | undefined {
    const { error, text } = reply;
    if (!error || this.#policy === 'fail' || isFinal(error) || error.code === 'resource_callback')
      return undefined;
    if (this.#failures++ >= MAX_FAILURE_SEAMS) return undefined;
    // The others first; a node or server may be back by the time they have failed.
    const queue = this.#again.has(candidate) ? [...rest] : [...rest, candidate];
    this.#again.add(candidate);
    if (queue.length === 0) return undefined;
    const seam = { policy: this.#policy, reason: 'failure' as const, message: error.problem };
    if (this.#policy === 'restart' || text === '')
      return { seam: { ...seam, policy: 'restart' }, queue, messages: [] };
    const messages: Message[] = [
      { role: 'assistant', content: text },
      { role: 'user', content: CONTINUE },
    ];
    return { seam, queue, messages, said: text };
  }

  /** One try to mend what does not fit; an answer cut at its limit would only be cut again. */
  #afterAnswer(reply: ReplySoFar, candidate: Candidate, rest: readonly Candidate[]): Turn | undefined {
    if (!this.#structured || reply.toolCalls.length > 0) return undefined;
    const read = this.#structured.read(reply.text);
    if (!('problem' in read)) return undefined;
    const isCut = reply.done?.finishReason === 'length';
    if (isCut || this.#repaired) {
      reply.error = misfit(read.problem, reply.text, isCut);
      return undefined;
    }
    this.#repaired = true;
    return {
      seam: { policy: 'restart', reason: 'repair', message: read.problem },
      queue: [candidate, ...rest],
      messages: repairMessages(reply.text, read.problem),
    };
  }
}

/** A request with further messages behind its own; a raw prompt, which has none, with what has been said behind it. */
export function extended(
  request: InferenceRequest,
  { messages, said = '' }: Pick<Turn, 'messages' | 'said'>,
): InferenceRequest {
  if (request.messages === undefined) return { ...request, prompt: request.prompt + said };
  return messages.length === 0 ? request : { ...request, messages: [...request.messages, ...messages] };
}
