import type { FinishReason, ReasoningPart, ToolCall, Usage } from '@x/airframe';
import type { LLMResponse } from '@x/avionics';
import fc from 'fast-check';
import type { AnswerFacts, AnswerWriter } from '../protocol.ts';

/** A piece of a reply as it comes from a provider: text, thinking, a signature that ends it, or arguments of a call. */
export type Piece =
  | { text: string }
  | { thinking: string }
  | { signature: string }
  | { call: number; id?: string; name?: string; arguments: string };

export interface Reply {
  pieces: Piece[];
  finishReason?: FinishReason;
  usage?: Partial<Usage>;
  priced?: boolean;
}

export const facts: AnswerFacts = { requestId: 'r1', model: 'asked', created: 1_700_000_000 };

/** The stream of a reply: calls are finished at the end, as adapters do it. */
export function streamOf(writer: AnswerWriter, reply: Reply): string {
  const response = responseOf(reply);
  const calls = response.toolCalls.map((call, index) => writer.toolCall.bind(writer, index, call));
  return [
    writer.begin(),
    ...reply.pieces.map(piece => written(writer, piece)),
    ...calls.map(finish => finish()),
    writer.end(response),
  ].join('');
}

export function written(writer: AnswerWriter, piece: Piece): string {
  if ('text' in piece) return writer.text(piece.text);
  if ('thinking' in piece) return writer.reasoning({ text: piece.thinking });
  if ('signature' in piece) return writer.reasoning({ text: '', signature: piece.signature });
  const { call: index, arguments: argumentsDelta, ...names } = piece;
  return writer.toolCallDelta({ type: 'tool_call_delta', index, argumentsDelta, ...names });
}

/** The whole reply, as the gateway gives it. */
export function responseOf({ pieces, finishReason = 'stop', usage, priced = true }: Reply): LLMResponse {
  const counted: Usage = {
    promptTokens: 20,
    completionTokens: 7,
    totalTokens: 27,
    source: 'reported',
    ...usage,
  };
  const text = pieces.map(piece => ('text' in piece ? piece.text : '')).join('');
  const toolCalls = callsIn(pieces);
  const { promptTokens, completionTokens, totalTokens } = counted;
  return {
    text,
    toolCalls,
    tokensUsed: totalTokens,
    promptTokens,
    completionTokens,
    latencyMs: 5,
    provider: 'mock',
    model: 'answering',
    costUsd: 0.25,
    timestamp: new Date(),
    streamed: true,
    metadata: {
      requestId: facts.requestId,
      agentName: 'unknown',
      finishReason,
      usage: counted,
      billed: { promptTokens, completionTokens, totalTokens },
      timings: { totalMs: 5 },
      attempts: [],
      priced,
      message: { role: 'assistant', content: text, reasoning: thinkingIn(pieces), toolCalls },
    },
  };
}

function callsIn(pieces: Piece[]): ToolCall[] {
  const calls: ToolCall[] = [];
  for (const piece of pieces) {
    if (!('call' in piece)) continue;
    const call = calls[piece.call] ?? { id: `call_${piece.call}`, name: '', arguments: '' };
    calls[piece.call] = call;
    if (piece.id) call.id = piece.id;
    if (piece.name) call.name = piece.name;
    call.arguments += piece.arguments;
  }
  for (const call of calls) {
    call.arguments ||= '{}';
    try {
      call.input = JSON.parse(call.arguments);
    } catch {
      call.parseError = 'the arguments are not valid JSON';
    }
  }
  return calls;
}

function thinkingIn(pieces: Piece[]): ReasoningPart[] {
  const parts: ReasoningPart[] = [];
  const open = () => {
    const last = parts.at(-1);
    if (last && last.signature === undefined) return last;
    const part: ReasoningPart = { text: '' };
    parts.push(part);
    return part;
  };
  for (const piece of pieces) {
    if ('thinking' in piece) open().text += piece.thinking;
    if ('signature' in piece) open().signature = piece.signature;
  }
  return parts;
}

const text = fc.string({ maxLength: 3 });

/** Replies of all kinds of pieces, in any order. */
export const anyPieces: fc.Arbitrary<Piece[]> = fc
  .array(
    fc.oneof(
      fc.record({ text }),
      fc.record({ thinking: text }),
      fc.record({ signature: fc.string({ minLength: 1, maxLength: 3 }) }),
      fc.record({
        call: fc.constantFrom(0, 1, 2),
        id: fc.constantFrom('', 'x'),
        name: fc.constantFrom('', 'f'),
        arguments: text,
      }),
    ),
    { maxLength: 20 },
  )
  .filter(pieces => {
    // Calls are numbered as they come.
    let next = 0;
    return pieces.every(piece => !('call' in piece) || piece.call < next || piece.call === next++);
  });

/** The events of a stream: their names, and their data parsed. */
export function eventsOf(stream: string): { name: string; data: Record<string, unknown> }[] {
  if (!stream.endsWith('\n\n')) throw new Error(`the stream ends within an event: ${stream.slice(-80)}`);
  return stream
    .slice(0, -2)
    .split('\n\n')
    .map(event => {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? [];
      if (name === undefined || data === undefined) throw new Error(`this is no event: ${event}`);
      return { name, data: JSON.parse(data) };
    });
}
