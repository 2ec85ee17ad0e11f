import type { AirframeError, ReasoningEvent, ToolCall, ToolCallDeltaEvent } from '@x/airframe';
import type { LLMResponse } from '@x/avionics';
import { openAIError } from '../openai-error.ts';
import { openAIFinish, openAIUsage } from '../openai-usage.ts';
import type { AnswerFacts, AnswerWriter } from '../protocol.ts';

/** An answer of Chat Completions: chunks, or one object. */
export class ChatAnswer implements AnswerWriter {
  readonly #facts: AnswerFacts;
  readonly #includeUsage: boolean;
  /** All that stands before and behind a chunk's delta, written once. */
  readonly #head: string;
  readonly #tail: string;
  readonly #textHead: string;
  readonly #started = new Set<number>();

  /** @param includeUsage as `stream_options.include_usage` */
  constructor(facts: AnswerFacts, includeUsage: boolean) {
    this.#facts = facts;
    this.#includeUsage = includeUsage;
    const usage = includeUsage ? ',"usage":null' : '';
    this.#head = `data: ${JSON.stringify(this.#frame('chat.completion.chunk')).slice(0, -1)}${usage},"choices":[{"index":0,"delta":`;
    this.#tail = ',"finish_reason":null}]}\n\n';
    this.#textHead = `${this.#head}{"content":`;
  }

  begin(): string {
    return this.#chunk({ role: 'assistant', content: '' });
  }

  /** Made for every token: one string. */
  text(delta: string): string {
    return `${this.#textHead}${JSON.stringify(delta)}}${this.#tail}`;
  }

  reasoning({ text }: Pick<ReasoningEvent, 'text'>): string {
    return text === '' ? '' : this.#chunk({ reasoning_content: text });
  }

  toolCallDelta({ index, id, name, argumentsDelta }: ToolCallDeltaEvent): string {
    const isFirst = !this.#started.has(index);
    this.#started.add(index);
    const call = {
      index,
      ...(isFirst ? { id, type: 'function' } : {}),
      function: { ...(isFirst ? { name } : {}), arguments: argumentsDelta },
    };
    return this.#chunk({ tool_calls: [call] });
  }

  toolCall(): string {
    return '';
  }

  seam(): string {
    return '';
  }

  end(response: LLMResponse): string {
    const finish = `${this.#head}{},"finish_reason":"${openAIFinish(response)}"}]}\n\n`;
    const usage = { ...this.#frame('chat.completion.chunk'), choices: [], usage: openAIUsage(response) };
    return `${finish}${this.#includeUsage ? event(usage) : ''}data: [DONE]\n\n`;
  }

  fail(error: AirframeError): string {
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
      ...this.#frame('chat.completion'),
      choices: [{ index: 0, message, logprobs: null, finish_reason: openAIFinish(response) }],
      usage: openAIUsage(response),
    };
  }

  #chunk(delta: object): string {
    return `${this.#head}${JSON.stringify(delta)}${this.#tail}`;
  }

  #frame(object: string) {
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
