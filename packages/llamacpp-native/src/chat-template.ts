import { Template } from '@huggingface/jinja';
import { AirframeError } from '@x/airframe';
import type { ChatMessage } from './engine.ts';

/** Renders a template that has been parsed. */
export type JinjaRender = (variables: Record<string, unknown>) => string;

/** Parses Jinja with a library; an engine that has llama.cpp's own at hand gives that instead. */
export function compileJinja(source: string): JinjaRender {
  const template = new Template(source);
  return variables => template.render(variables);
}

/** What of a model's vocabulary a template can see, and what the tokenizer adds by itself. */
export interface TemplateTokens {
  bos: string;
  eos: string;
  /** The tokenizer puts BOS first: the template's own must go, or there would be two. */
  addsBos: boolean;
  addsEos: boolean;
}

/**
 * A model's own chat template, applied as llama-server's `/apply-template` does it: the same variables, the same
 * help for templates that know no system role or want content in parts, a last assistant message as the
 * beginning of the answer (llama.cpp v0.5.0, common/chat.cpp and common/jinja/caps.cpp).
 */
export class ChatTemplate {
  readonly #render: JinjaRender;
  readonly #tokens: TemplateTokens;
  readonly #takesText: boolean;
  readonly #takesParts: boolean;
  readonly #takesSystem: boolean;
  /** The template puts something of thinking at the beginning of an answer, or into the history. */
  readonly #thinks: boolean;
  readonly #mentionsThinking: boolean;

  /** @throws AirframeError invalid_request: the source is no Jinja */
  constructor(
    source: string,
    tokens: TemplateTokens,
    compile: (source: string) => JinjaRender = compileJinja,
  ) {
    this.#tokens = tokens;
    try {
      this.#render = compile(source);
    } catch (error) {
      throw refuse('cannot be parsed', error);
    }
    this.#takesText = this.#shows([{ role: 'user', content: FIRST }]);
    const text = this.#takesText ? (probe: string) => probe : parts;
    this.#takesParts = this.#shows([{ role: 'user', content: parts(FIRST, SECOND) }], SECOND);
    this.#takesSystem = this.#shows([
      { role: 'system', content: text(FIRST) },
      { role: 'user', content: text(SECOND) },
    ]);
    const takesReasoning = this.#shows([
      { role: 'user', content: text(SECOND) },
      { role: 'assistant', content: text(SECOND), reasoning_content: FIRST },
    ]);
    this.#mentionsThinking = /think|reason/i.test(source);
    const question: ChatMessage[] = [{ role: 'user', content: text(FIRST) }];
    this.#thinks = takesReasoning || this.#answerStart(question, true) !== this.#answerStart(question, false);
  }

  /** @throws AirframeError invalid_request: the template refuses the messages */
  render(messages: readonly ChatMessage[], kwargs: Record<string, unknown> = {}): string {
    const last = messages.at(-1);
    if (last?.role !== 'assistant') return this.#prompt(messages, kwargs);
    if (messages.at(-2)?.role === 'assistant') {
      throw new AirframeError('invalid_request', 'a chat cannot end with two assistant messages; join them');
    }
    if (this.#mentionsThinking) {
      // llama-server closes the thinking first, with marks it works out by comparing what templates print.
      throw new AirframeError(
        'invalid_request',
        'this model thinks before it answers: a chat cannot end with an assistant message for it to continue',
      );
    }
    return this.#prompt(messages.slice(0, -1), kwargs) + joined(last.content);
  }

  #prompt(messages: readonly ChatMessage[], kwargs: Record<string, unknown>): string {
    const shaped = (this.#takesSystem ? messages : withoutSystem(messages)).map(message =>
      this.#shape(message),
    );
    let prompt: string;
    try {
      prompt = this.#run(shaped, kwargs);
    } catch (error) {
      throw refuse('refuses these messages', error);
    }
    const { bos, eos, addsBos, addsEos } = this.#tokens;
    if (addsBos && bos !== '' && prompt.startsWith(bos)) prompt = prompt.slice(bos.length);
    if (addsEos && eos !== '' && prompt.endsWith(eos)) prompt = prompt.slice(0, -eos.length);
    return prompt;
  }

  #shape(message: ChatMessage): ChatMessage {
    const { content } = message;
    if (typeof content === 'string')
      return this.#takesText ? message : { ...message, content: parts(content) };
    return this.#takesParts ? message : { ...message, content: joined(content) };
  }

  #run(messages: readonly ChatMessage[], kwargs: Record<string, unknown>): string {
    const now = new Date();
    const day = String(now.getDate()).padStart(2, '0');
    const month = now.toLocaleString('en-US', { month: 'short' });
    const keepReasoning = kwargs['preserve_reasoning'] !== false;
    return this.#render({
      messages,
      bos_token: this.#tokens.bos,
      eos_token: this.#tokens.eos,
      add_generation_prompt: true,
      enable_thinking: this.#thinks,
      datetime: `${month} ${day} ${now.getFullYear()}`,
      date_string: `${day} ${month} ${now.getFullYear()}`,
      // The names under which templates ask whether earlier thinking stays in the prompt.
      preserve_thinking: keepReasoning,
      clear_thinking: !keepReasoning,
      truncate_history_thinking: !keepReasoning,
      drop_thinking: !keepReasoning,
      ...kwargs,
    });
  }

  /** What follows the probe: the beginning of the answer. */
  #answerStart(messages: readonly ChatMessage[], enable_thinking: boolean): string | undefined {
    try {
      const shown = this.#run(messages, { enable_thinking });
      return shown.slice(shown.lastIndexOf(FIRST));
    } catch {
      return undefined;
    }
  }

  /** Whether the first probe comes out, and up to the last one nothing that looks like a printed list. */
  #shows(messages: readonly ChatMessage[], last = FIRST): boolean {
    try {
      const shown = this.#run(messages, {});
      const [from, to] = [shown.indexOf(FIRST), shown.lastIndexOf(last)];
      return from !== -1 && to !== -1 && !/[{[]/.test(shown.slice(from, to));
    } catch {
      return false;
    }
  }
}

/** Texts no template holds by itself. */
const FIRST = 'first-probe';
const SECOND = 'second-probe';

function parts(...texts: string[]): { type: 'text'; text: string }[] {
  return texts.map(text => ({ type: 'text', text }));
}

function joined(content: ChatMessage['content']): string {
  return typeof content === 'string' ? content : content.map(part => part.text).join('\n');
}

/** A system message in front goes into the message after it. */
function withoutSystem(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const [first, second, ...rest] = messages;
  if (first?.role !== 'system') return messages;
  if (!second) return [];
  return [{ ...second, content: `${joined(first.content)}\n${joined(second.content)}` }, ...rest];
}

function refuse(what: string, cause: unknown): AirframeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AirframeError('invalid_request', `the model's chat template ${what}: ${reason}`, { cause });
}
