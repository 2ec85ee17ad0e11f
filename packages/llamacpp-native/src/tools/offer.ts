import { AirframeError, type ToolSpec } from '@x/airframe';
import type { LlamaCppRequest } from '../request.ts';

/** What the model may answer with. */
export interface Offer {
  /** Those it may call; never none. */
  tools: ToolSpec[];
  /** Whether it may call several at once. */
  several: boolean;
  /** Whether it may answer in words instead. */
  words: boolean;
}

/**
 * Undefined when it may call nothing.
 * @throws AirframeError invalid_request: `toolChoice` names no tool of the request
 */
export function offerOf({
  tools = [],
  toolChoice = 'auto',
  parallelToolCalls = true,
}: LlamaCppRequest): Offer | undefined {
  if (tools.length === 0 || toolChoice === 'none') return undefined;
  const named = typeof toolChoice === 'object' ? toolChoice.name : undefined;
  const offered = named === undefined ? tools : tools.filter(({ name }) => name === named);
  if (offered.length === 0) {
    const names = tools.map(({ name }) => name).join(', ');
    throw new AirframeError(
      'invalid_request',
      `toolChoice names ${named}, which is not among tools: ${names}`,
    );
  }
  return { tools: offered, several: parallelToolCalls, words: toolChoice === 'auto' };
}
