import { AirframeError, type InferenceRequest, type Message, type Timeouts } from '@x/airframe';
import { defined } from '../providers/options.ts';

interface CompletionOptions
  extends Partial<
    Pick<
      InferenceRequest,
      | 'tools'
      | 'toolChoice'
      | 'parallelToolCalls'
      | 'responseFormat'
      | 'temperature'
      | 'topP'
      | 'maxTokens'
      | 'stop'
      | 'seed'
      | 'extra'
    >
  > {
  /** Instructions in front of the conversation. */
  system?: string;
  /** Model of the first provider; a fallback provider uses its own. Default: the agent's, else DEFAULT_MODEL. */
  model?: string;
  /** Who asks; chooses settings and stands in results. Default `unknown`. */
  agentName?: string;
  /** Ends the call. */
  signal?: AbortSignal;
  /** Deadlines over the provider's own, in milliseconds; `totalMs` is for the whole call, all providers together. */
  timeouts?: Timeouts;
}

/** One call of the gateway: a user's words in `prompt`, or a conversation in `messages`. */
export type CompletionRequest = CompletionOptions &
  ({ prompt: string; messages?: never } | { messages: Message[]; prompt?: never });

/**
 * The request that goes to providers, but for the model.
 * @throws AirframeError (invalid_request) when it is not clear what is asked
 */
export function inferenceRequestOf(request: CompletionRequest): InferenceRequest {
  const { tools, toolChoice, parallelToolCalls, responseFormat } = request;
  const { temperature, topP, maxTokens, stop, seed, extra } = request;
  return {
    messages: messagesOf(request),
    ...defined({ tools, toolChoice, parallelToolCalls, responseFormat }),
    ...defined({ temperature, topP, maxTokens, stop, seed, extra }),
  };
}

function messagesOf({ prompt, messages, system }: CompletionRequest): Message[] {
  if ((prompt === undefined) === (messages === undefined)) {
    throw new AirframeError('invalid_request', 'give either prompt or messages to complete(), and not both');
  }
  const conversation: Message[] = messages ?? [{ role: 'user', content: prompt ?? '' }];
  if (system === undefined) return conversation;
  if (conversation[0]?.role === 'system') {
    throw new AirframeError(
      'invalid_request',
      'give the instructions either in system or as the first message, not in both',
    );
  }
  return [{ role: 'system', content: system }, ...conversation];
}
