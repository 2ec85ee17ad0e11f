import { CompletionTally } from '../../assemble/completion-tally.ts';
import type { Reply } from '../../assemble/reply.ts';
import { AirframeError, type ErrorCategory } from '../../errors.ts';
import type { FinishReason } from '../../events.ts';
import type { StreamReader } from '../../transport/exchange.ts';
import type { ErrorFacts } from '../../transport/failure.ts';
import type { Route } from './request.ts';
import type { WireChunk, WireCompletion, WireDelta, WireError, WireTimings } from './wire.ts';

/** Reads the answer of a route into a reply; of several choices the first. */
export function createReader(route: Route, reply: Reply): StreamReader {
  const tally = new CompletionTally();
  const read = (frame: unknown): boolean => {
    if (typeof frame !== 'object' || frame === null) {
      throw new AirframeError('parse', `llama-server sent ${JSON.stringify(frame)} where an object belongs`);
    }
    if (route === 'completion') return readCompletion(frame, reply, tally);
    readChunk(frame, reply, tally);
    return false;
  };
  return {
    event: data => data.startsWith('[DONE]') || read(parseFrame(data)),
    body(json) {
      // `/completion` answers several choices with an array.
      for (const answer of Array.isArray(json) ? json : [json]) read(answer);
    },
  };
}

function parseFrame(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    const problem = `llama-server sent an event that is not JSON: ${data.slice(0, 100)}`;
    throw new AirframeError('parse', problem, { raw: data, cause });
  }
}

/** @returns true at the last frame; this route has no other end marker */
function readCompletion(frame: WireCompletion, reply: Reply, tally: CompletionTally): boolean {
  if (frame.error) throw inBandError(frame.error);
  tally.choice = frame.index ?? 0;
  if (frame.tokens_predicted !== undefined) {
    reply.usage({ completionTokens: tally.count(frame.tokens_predicted) });
  }
  if (tally.choice > 0) return false;
  if (frame.content) reply.text(frame.content);
  if (frame.tokens_evaluated !== undefined) reply.usage({ promptTokens: frame.tokens_evaluated });
  if (frame.timings) readTimings(frame.timings, reply);
  if (!frame.stop) return false;
  reply.identify({ model: frame.model });
  reply.finish(frame.stop_type === 'limit' ? 'length' : 'stop');
  return true;
}

const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['length', 'length'],
  ['tool_calls', 'tool_calls'],
]);

function readChunk(chunk: WireChunk, reply: Reply, tally: CompletionTally): void {
  if (chunk.error) throw inBandError(chunk.error);
  reply.identify({ responseId: chunk.id, model: chunk.model });
  const choice = chunk.choices?.[0];
  if (choice) tally.choice = choice.index ?? 0;
  const generated = chunk.usage?.completion_tokens ?? chunk.timings?.predicted_n;
  if (generated !== undefined) reply.usage({ completionTokens: tally.count(generated) });
  if (tally.choice > 0) return;
  if (choice) {
    if (choice.text) reply.text(choice.text);
    const delta = choice.delta ?? choice.message;
    if (delta) readDelta(delta, reply);
  }
  if (chunk.timings) readTimings(chunk.timings, reply);
  if (chunk.usage) readUsage(chunk.usage, reply);
  if (choice?.finish_reason) reply.finish(FINISH_REASONS.get(choice.finish_reason) ?? 'stop');
}

function readDelta(delta: WireDelta, reply: Reply): void {
  if (delta.reasoning_content) reply.reasoning(delta.reasoning_content);
  if (delta.content) reply.text(delta.content);
  const calls = delta.tool_calls ?? [];
  for (const [position, call] of calls.entries()) {
    const args = call.function?.arguments;
    reply.toolCall({
      // Whole calls in one answer have their place instead of an index.
      index: call.index ?? (calls.length > 1 ? position : undefined),
      id: call.id,
      name: call.function?.name,
      arguments: typeof args === 'object' && args !== null ? JSON.stringify(args) : (args ?? ''),
    });
  }
}

function readUsage(usage: NonNullable<WireChunk['usage']>, reply: Reply): void {
  const cachedTokens = usage.prompt_tokens_details?.cached_tokens;
  reply.usage({
    ...(usage.prompt_tokens === undefined ? {} : { promptTokens: usage.prompt_tokens }),
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
  });
}

/** The slot's own counts of prompt tokens, cached and evaluated, and its clock. */
function readTimings(timings: WireTimings, reply: Reply): void {
  const { cache_n, prompt_n, prompt_ms, predicted_ms, predicted_per_second } = timings;
  if (cache_n !== undefined && prompt_n !== undefined) {
    reply.usage({ promptTokens: cache_n + prompt_n, cachedTokens: cache_n });
  }
  reply.timings({
    ...(prompt_ms === undefined ? {} : { promptMs: prompt_ms }),
    ...(predicted_ms === undefined ? {} : { generationMs: predicted_ms }),
    ...(predicted_per_second === undefined ? {} : { tokensPerSecond: predicted_per_second }),
  });
}

const CATEGORY_OF_TYPE: ReadonlyMap<string, ErrorCategory> = new Map<string, ErrorCategory>(
  Object.entries({
    invalid_request_error: 'invalid_request',
    exceed_context_size_error: 'context_length',
    authentication_error: 'auth',
    permission_error: 'auth',
    not_found_error: 'not_found',
    not_supported_error: 'invalid_request',
    feature_disabled: 'invalid_request',
    unavailable_error: 'overloaded',
    server_error: 'backend',
  }),
);

/** What the body of an error answer says. A 500 may be a bad request here, so it is not retried. */
export function readError(_status: number, body: unknown): ErrorFacts {
  const error = (body as { error?: WireError | string } | undefined)?.error;
  return error ? factsOf(error) : {};
}

function inBandError(wire: WireError | string): AirframeError {
  const { category, message, ...rest } = factsOf(wire);
  return new AirframeError(category ?? 'backend', `llama-server reported in mid-answer: ${message}`, rest);
}

function factsOf(wire: WireError | string): ErrorFacts {
  if (typeof wire === 'string') return { message: wire };
  const { message, type, n_prompt_tokens: promptTokens, n_ctx: contextTokens } = wire;
  return {
    category: type ? CATEGORY_OF_TYPE.get(type) : undefined,
    message,
    code: type,
    promptTokens,
    contextTokens,
  };
}
