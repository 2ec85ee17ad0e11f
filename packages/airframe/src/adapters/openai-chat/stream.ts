import { AlikeEvents } from '../../assemble/alike-events.ts';
import { CompletionTally } from '../../assemble/completion-tally.ts';
import type { Reply, ReportedUsage } from '../../assemble/reply.ts';
import { AirframeError } from '../../errors.ts';
import type { FinishReason } from '../../events.ts';
import type { StreamReader } from '../../transport/exchange.ts';
import { errorIn, inBandError, type WireError } from '../../wire-openai/errors.ts';
import { signatureOfCall, signatureOfDetail } from './signatures.ts';
import { varyingOf } from './varying.ts';
import type { WireChoice, WireChunk, WireDelta, WirePart, WireToolCall, WireUsage } from './wire.ts';

/** An unknown word counts as `stop`: the server did say that the reply is over (`load` of Ollama). */
const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['length', 'length'],
  ['model_length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'content_filter'],
]);

/** Mistral and OpenRouter; vLLM; DeepSeek. */
const FAILURES = new Set(['error', 'abort', 'insufficient_system_resource']);

/**
 * Reads an answer into a reply: chunks of a stream, or the whole of it. Only choice 0 is read. A refusal is text,
 * and the finish reason stays what the server says: a model that declines has answered.
 */
export function createReader(reply: Reply): StreamReader {
  let over = false;
  let answered = false;
  const tally = new CompletionTally();
  const alike = new AlikeEvents();
  return {
    event(data, name) {
      if (over) return true;
      if (name !== 'error' && alike.read(data)) return false;
      if (!data.startsWith('{')) {
        const text = data.trim();
        if (text.startsWith('[DONE]')) {
          over = true;
          // Some servers leave finish_reason out; [DONE] says no less, as long as there was an answer.
          if (answered && !reply.finished) reply.finish('stop');
          return true;
        }
        if (text === '') return false;
      }
      if (name === 'error') throw inBandError(errorOf(data));
      const chunk = parseChunk(data);
      answered = readChunk(chunk, reply, tally) || answered;
      const varying = alike.learns ? varyingOf(chunk, reply, tally) : undefined;
      if (varying) alike.learn(data, varying);
      return false;
    },
    body(json) {
      const answer = toChunk(json);
      readChunk(answer, reply, tally);
      if (reply.finished) return;
      if (!answer.choices?.length) throw new AirframeError('parse', 'the backend answered without choices');
      // JSON that is whole has no later place for finish_reason.
      reply.finish('stop');
    },
  };
}

function parseChunk(data: string): WireChunk {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch (cause) {
    const problem = `the backend sent an event that is not JSON: ${data.slice(0, 100)}`;
    throw new AirframeError('parse', problem, { raw: data, cause });
  }
  return toChunk(json);
}

/** @throws AirframeError for an error inside, whatever the status was */
function toChunk(json: unknown): WireChunk {
  const error = errorIn(json);
  if (error !== undefined) throw inBandError(error);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    const problem = `the backend sent ${JSON.stringify(json).slice(0, 100)} where an object belongs`;
    throw new AirframeError('parse', problem);
  }
  return json;
}

/** The data of an event named `error`: in OpenAI's form, without its frame, or plain text. */
function errorOf(data: string): WireError | string {
  try {
    const json: unknown = JSON.parse(data);
    return errorIn(json) ?? (typeof json === 'object' && json !== null ? json : String(json));
  } catch {
    return data.slice(0, 200);
  }
}

/** @returns whether there was output in it */
function readChunk(chunk: WireChunk, reply: Reply, tally: CompletionTally): boolean {
  if (chunk.x_groq?.error) throw inBandError(chunk.x_groq.error);
  if (!reply.identified) reply.identify({ responseId: string(chunk.id), model: string(chunk.model) });
  if (chunk.service_tier) reply.identify({ serviceTier: string(chunk.service_tier) });
  const choice = firstChoice(chunk);
  const output = choice ? readChoice(choice, reply) : false;
  const first = chunk.choices?.[0];
  if (first) tally.choice = first.index ?? 0;
  const usage = chunk.usage ?? chunk.x_groq?.usage;
  if (usage) readUsage(usage, reply, chunk.timings ? tally : undefined);
  if (choice?.finish_reason) readFinish(choice.finish_reason, reply);
  return output;
}

function firstChoice({ choices }: WireChunk): WireChoice | undefined {
  const choice = choices?.[0];
  return choice?.index ? choices?.find(({ index }) => !index) : choice;
}

function readFinish(reason: string, reply: Reply): void {
  if (FAILURES.has(reason)) throw inBandError({ type: reason, message: `finish_reason ${reason}` });
  reply.finish(FINISH_REASONS.get(reason) ?? 'stop');
}

function readChoice(choice: WireChoice, reply: Reply): boolean {
  const { text, delta, message } = choice;
  if (text) reply.text(text);
  const content = delta ?? message;
  return (content ? readDelta(content, reply) : false) || Boolean(text);
}

function readDelta(delta: WireDelta, reply: Reply): boolean {
  const thought = readReasoning(delta, reply);
  const { content, refusal, tool_calls: calls } = delta;
  if (typeof content === 'string') reply.text(content);
  else if (Array.isArray(content)) readParts(content, reply);
  if (refusal) reply.text(refusal);
  // Where several come at once without index (every whole answer), their order is the index.
  if (calls) {
    for (let at = 0; at < calls.length; at++) {
      const call = calls[at] as WireToolCall;
      readToolCall(call, call.index ?? (calls.length > 1 ? at : undefined), reply);
    }
  }
  return thought || Boolean(content?.length || refusal || calls?.length);
}

/** The same thoughts may come in several fields: one of them is read. */
function readReasoning(delta: WireDelta, reply: Reply): boolean {
  const details = delta.reasoning_details;
  const thought = delta.reasoning_content || delta.reasoning || '';
  if (!details) {
    if (thought === '') return false;
    reply.reasoning(thought);
    return true;
  }
  const detailed = details.some(({ text, summary }) => text || summary);
  if (thought && !detailed) reply.reasoning(thought);
  for (const detail of details) {
    reply.reasoning(detail.text || detail.summary || '', signatureOfDetail(detail));
  }
  return detailed || thought !== '';
}

/** Mistral; references and images are not text. */
function readParts(parts: WirePart[], reply: Reply): void {
  for (const part of parts) {
    if (part.type === 'thinking') reply.reasoning(textOf(part.thinking));
    else if (part.text) reply.text(part.text);
  }
}

function textOf(thinking: WirePart['thinking']): string {
  if (typeof thinking === 'string') return thinking;
  return (thinking ?? []).map(part => part.text ?? '').join('');
}

function readToolCall(call: WireToolCall, index: number | undefined, reply: Reply): void {
  const args = call.function?.arguments;
  reply.toolCall({
    index,
    id: call.id,
    name: call.function?.name,
    arguments: typeof args === 'object' && args !== null ? JSON.stringify(args) : (args ?? ''),
    signature: signatureOfCall(call),
  });
}

/**
 * Where several chunks bring usage, the last counts; the zeros that Ollama fills in ahead of it do not.
 * @param tally for a server that counts each choice by itself
 */
function readUsage(wire: WireUsage, reply: Reply, tally?: CompletionTally): void {
  const details = wire.prompt_tokens_details ?? wire.prompt_token_details;
  const reasoning = wire.completion_tokens_details?.reasoning_tokens;
  const promptTokens = wire.prompt_tokens;
  const completion = tally?.count(wire.completion_tokens ?? 0) ?? completionTokens(wire);
  if (!promptTokens && !completion) return;
  const usage: ReportedUsage = {};
  if (isFigure(promptTokens)) usage.promptTokens = promptTokens;
  if (isFigure(completion)) usage.completionTokens = completion;
  const cached = details?.cached_tokens ?? wire.prompt_cache_hit_tokens ?? wire.num_cached_tokens;
  if (isFigure(cached)) usage.cachedTokens = cached;
  const written = details?.cache_write_tokens;
  if (isFigure(written)) usage.cacheWriteTokens = written;
  if (isFigure(reasoning)) usage.reasoningTokens = reasoning;
  reply.usage(usage);
}

function isFigure(value: unknown): value is number {
  return typeof value === 'number';
}

/** xAI counts reasoning on top of the completion, and its total says so (general knowledge). */
function completionTokens(wire: WireUsage): number | null | undefined {
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = wire;
  const reasoning = wire.completion_tokens_details?.reasoning_tokens;
  if (!prompt || typeof completion !== 'number' || !reasoning) return completion;
  return total === prompt + completion + reasoning ? completion + reasoning : completion;
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
