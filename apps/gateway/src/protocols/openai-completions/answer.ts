import type { AirframeError } from '@x/airframe';
import type { LLMResponse } from '@x/avionics';
import { openAIError } from '../openai-error.ts';
import { openAIFinish, openAIUsage } from '../openai-usage.ts';
import type { AnswerFacts, AnswerWriter } from '../protocol.ts';

/** An answer of the older Completions. It knows text alone: thinking is left out. */
export class CompletionsAnswer implements AnswerWriter {
  readonly #facts: AnswerFacts;
  readonly #includeUsage: boolean;
  readonly #echo: string;

  constructor(facts: AnswerFacts, { includeUsage, echo }: { includeUsage: boolean; echo: string }) {
    this.#facts = facts;
    this.#includeUsage = includeUsage;
    this.#echo = echo;
  }

  begin(): string {
    return this.#echo === '' ? '' : this.text(this.#echo);
  }

  text(delta: string): string {
    return this.#event([{ index: 0, text: delta, logprobs: null, finish_reason: null }]);
  }

  reasoning(): string {
    return '';
  }

  toolCallDelta(): string {
    return '';
  }

  toolCall(): string {
    return '';
  }

  end(response: LLMResponse): string {
    const finish = this.#event([
      { index: 0, text: '', logprobs: null, finish_reason: openAIFinish(response) },
    ]);
    return `${finish}${this.#includeUsage ? this.#event([], openAIUsage(response)) : ''}data: [DONE]\n\n`;
  }

  fail(error: AirframeError): string {
    return `data: ${JSON.stringify(openAIError(error, this.#facts.requestId))}\n\n`;
  }

  whole(response: LLMResponse): unknown {
    const text = this.#echo + response.text;
    const choices = [{ index: 0, text, logprobs: null, finish_reason: openAIFinish(response) }];
    return { ...this.#frame(), choices, usage: openAIUsage(response) };
  }

  #event(choices: object[], usage?: object): string {
    return `data: ${JSON.stringify({ ...this.#frame(), choices, ...(usage ? { usage } : {}) })}\n\n`;
  }

  #frame() {
    const { requestId, model, created } = this.#facts;
    return { id: `cmpl-${requestId}`, object: 'text_completion', created, model };
  }
}
