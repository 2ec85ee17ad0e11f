import type { AirframeError, ReasoningEvent, ToolCall, ToolCallDeltaEvent } from '@x/airframe';
import type { LLMResponse } from '@x/avionics';
import { openAIError } from '../openai-error.ts';
import { openAIFinish, openAIUsage } from '../openai-usage.ts';
import type { AnswerFacts, AnswerWriter } from '../protocol.ts';

interface Call {
  id: string;
  name: string;
  /** Arguments that are not written yet. */
  rest: string;
  hasArguments: boolean;
  isBegun: boolean;
  isFinished: boolean;
}

/** An answer of Chat Completions: chunks, or one object. */
export class ChatAnswer implements AnswerWriter {
  readonly #facts: AnswerFacts;
  readonly #includeUsage: boolean;
  /** All that stands before and behind a chunk's delta, written once. */
  readonly #frame: string;
  readonly #head: string;
  readonly #tail: string;
  readonly #textHead: string;
  #calls: Map<number, Call> | undefined;
  #isOver = false;

  /** @param includeUsage as `stream_options.include_usage` */
  constructor(facts: AnswerFacts, includeUsage: boolean) {
    this.#facts = facts;
    this.#includeUsage = includeUsage;
    const usage = includeUsage ? ',"usage":null' : '';
    this.#frame = `data: ${JSON.stringify(this.#frameOf('chat.completion.chunk')).slice(0, -1)}`;
    this.#head = `${this.#frame}${usage},"choices":[{"index":0,"delta":`;
    this.#tail = ',"finish_reason":null}]}\n\n';
    this.#textHead = `${this.#head}{"content":`;
  }

  begin(): string {
    return `${this.#head}{"role":"assistant","content":""}${this.#tail}`;
  }

  /** Made for every token: one string. */
  text(delta: string): string {
    if (this.#isOver) return '';
    return `${this.#textHead}${JSON.stringify(delta)}}${this.#tail}`;
  }

  reasoning({ text }: Pick<ReasoningEvent, 'text'>): string {
    return text === '' || this.#isOver ? '' : this.#chunk({ reasoning_content: text });
  }

  /** A call begins with its id and name, which clients look for in its first chunk alone: some servers send them late. */
  toolCallDelta({ index, id, name, argumentsDelta }: ToolCallDeltaEvent): string {
    const call = this.#call(index);
    if (call.isFinished || this.#isOver) return '';
    if (argumentsDelta !== '') call.hasArguments = true;
    call.id ||= id ?? '';
    call.name ||= name ?? '';
    call.rest += argumentsDelta;
    return call.isBegun ? this.#arguments(index, call) : this.#drain();
  }

  toolCall(index: number, { id, name, arguments: whole }: ToolCall): string {
    const call = this.#call(index);
    if (call.isFinished || this.#isOver) return '';
    call.isFinished = true;
    call.id ||= id;
    call.name ||= name;
    // Of a call without any, too, clients expect JSON.
    if (!call.hasArguments) call.rest = whole;
    return this.#drain();
  }

  end(response: LLMResponse): string {
    if (this.#isOver) return '';
    let text = '';
    // Those of a kept answer may not have come one by one.
    response.toolCalls.forEach((call, index) => {
      text += this.toolCall(index, call);
    });
    text += `${this.#head}{},"finish_reason":"${openAIFinish(response)}"}]}\n\n`;
    if (this.#includeUsage) {
      text += `${this.#frame},"choices":[],"usage":${JSON.stringify(openAIUsage(response))}}\n\n`;
    }
    return `${text}data: [DONE]\n\n`;
  }

  fail(error: AirframeError): string {
    this.#isOver = true;
    return event(openAIError(error, this.#facts.requestId));
  }

  whole(response: LLMResponse): unknown {
    const { text, toolCalls, metadata } = response;
    const reasoning = (metadata.message?.reasoning ?? []).map(part => part.text).join('');
    const message = {
      role: 'assistant',
      content: text === '' && toolCalls.length > 0 ? null : text,
      refusal: null,
      ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(wireCall) }),
    };
    return {
      ...this.#frameOf('chat.completion'),
      choices: [{ index: 0, message, logprobs: null, finish_reason: openAIFinish(response) }],
      usage: openAIUsage(response),
    };
  }

  #call(index: number): Call {
    this.#calls ??= new Map();
    let call = this.#calls.get(index);
    if (!call) {
      call = { id: '', name: '', rest: '', hasArguments: false, isBegun: false, isFinished: false };
      this.#calls.set(index, call);
    }
    return call;
  }

  /** Writes what waits, up to a call that is not named: calls begin in their order. */
  #drain(): string {
    let text = '';
    for (const [index, call] of this.#calls ?? []) {
      const { id, name, isBegun, isFinished } = call;
      if (!isBegun && !isFinished && (id === '' || name === '')) break;
      text += this.#arguments(index, call);
    }
    return text;
  }

  /** What of a call is not written yet. */
  #arguments(index: number, call: Call): string {
    const { id, name, rest, isBegun } = call;
    if (isBegun && rest === '') return '';
    call.rest = '';
    call.isBegun = true;
    const begin = isBegun ? {} : { id, type: 'function' };
    return this.#chunk({
      tool_calls: [{ index, ...begin, function: { ...(isBegun ? {} : { name }), arguments: rest } }],
    });
  }

  #chunk(delta: object): string {
    return `${this.#head}${JSON.stringify(delta)}${this.#tail}`;
  }

  #frameOf(object: string) {
    const { requestId, model, created } = this.#facts;
    return { id: `chatcmpl-${requestId}`, object, created, model };
  }
}

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function wireCall({ id, name, arguments: args }: ToolCall) {
  return { id, type: 'function', function: { name, arguments: args } };
}
