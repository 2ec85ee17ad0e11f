import type { AirframeError, ReasoningEvent, ToolCall, ToolCallDeltaEvent } from '@x/airframe';
import type { LLMResponse } from '@x/avionics';
import type { AnswerFacts, AnswerWriter } from '../protocol.ts';
import { wireErrorOf } from './errors.ts';
import { answerOf, stopReasonOf, usageOf } from './whole.ts';
import type { WireAnswer, WireAnswerBlock } from './wire.ts';

/** Text or thinking that waits for its turn. */
interface Spoken {
  kind: 'text' | 'thinking';
  text: string;
  signature?: string | undefined;
}

interface Call {
  /** Made here until a server gives one: not all of them do. */
  id: string;
  name: string;
  /** Arguments that are not written yet. */
  rest: string;
  /** Any arguments have come. */
  hasArguments: boolean;
  /** It waits for its turn, or is written. */
  isPlaced: boolean;
  isFinished: boolean;
}

const NO_USAGE = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
};

/**
 * Writes an answer of the Messages API. One block is open at a time, in the order of their indexes: while that is a tool
 * call that is not finished, whatever else comes waits. Tokens of the prompt are told at the end, in `message_delta`.
 */
export class MessageWriter implements AnswerWriter {
  readonly #facts: AnswerFacts;
  /** Of the block begun last. */
  #index = -1;
  #open: Spoken['kind'] | Call | undefined;
  /** What each delta of the open block begins with, up to the string that varies. */
  #delta = '';
  readonly #calls = new Map<number, Call>();
  readonly #waiting: (Spoken | Call)[] = [];
  #isOver = false;

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
  }

  begin(): string {
    const { requestId, model } = this.#facts;
    const message: WireAnswer = {
      id: `msg_${requestId}`,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: NO_USAGE,
    };
    return eventOf({ type: 'message_start', message }) + eventOf({ type: 'ping' });
  }

  text(delta: string): string {
    if (this.#open === 'text') return `${this.#delta}${JSON.stringify(delta)}}}\n\n`;
    return delta === '' ? '' : this.#say({ kind: 'text', text: delta });
  }

  reasoning({ text, signature }: Pick<ReasoningEvent, 'text' | 'signature'>): string {
    if (this.#open === 'thinking' && signature === undefined) {
      return `${this.#delta}${JSON.stringify(text)}}}\n\n`;
    }
    return text === '' && signature === undefined ? '' : this.#say({ kind: 'thinking', text, signature });
  }

  toolCallDelta({ index, id, name, argumentsDelta }: ToolCallDeltaEvent): string {
    const call = this.#call(index);
    if (call.isFinished || this.#isOver) return '';
    if (argumentsDelta !== '') call.hasArguments = true;
    if (call === this.#open) {
      return argumentsDelta === '' ? '' : `${this.#delta}${JSON.stringify(argumentsDelta)}}}\n\n`;
    }
    call.id = id ?? call.id;
    call.name ||= name ?? '';
    call.rest += argumentsDelta;
    return this.#place(call);
  }

  toolCall(index: number, { id, name, arguments: whole }: ToolCall): string {
    const call = this.#call(index);
    if (call.isFinished || this.#isOver) return '';
    call.isFinished = true;
    if (!call.isPlaced) Object.assign(call, { id, name });
    if (!call.hasArguments) call.rest = whole;
    if (call !== this.#open) return this.#place(call);
    return this.#arguments(call) + this.#close() + this.#drain();
  }

  end(response: LLMResponse): string {
    if (this.#isOver) return '';
    let text = '';
    // Those of a kept answer may not have come one by one.
    response.toolCalls.forEach((call, index) => {
      text += this.toolCall(index, call);
    });
    text += this.#close();
    this.#isOver = true;
    const delta = { stop_reason: stopReasonOf(response), stop_sequence: null };
    return text + eventOf({ type: 'message_delta', delta, usage: usageOf(response) }) + MESSAGE_STOP;
  }

  fail(error: AirframeError): string {
    this.#isOver = true;
    this.#open = undefined;
    return eventOf(wireErrorOf(error, this.#facts.requestId));
  }

  whole(response: LLMResponse): WireAnswer {
    return answerOf(response, this.#facts);
  }

  #call(index: number): Call {
    let call = this.#calls.get(index);
    if (!call) {
      call = {
        id: `call_${index}`,
        name: '',
        rest: '',
        hasArguments: false,
        isPlaced: false,
        isFinished: false,
      };
      this.#calls.set(index, call);
    }
    return call;
  }

  /** Its block begins with the name, which some servers send late. */
  #place(call: Call): string {
    if (call.isPlaced || (call.name === '' && !call.isFinished)) return '';
    call.isPlaced = true;
    this.#waiting.push(call);
    return this.#drain();
  }

  #say(spoken: Spoken): string {
    if (this.#isOver) return '';
    const last = this.#waiting.at(-1);
    if (last && 'kind' in last && last.kind === spoken.kind && last.signature === undefined) {
      last.text += spoken.text;
      last.signature = spoken.signature;
    } else {
      this.#waiting.push(spoken);
    }
    return this.#drain();
  }

  /** Writes what waits, up to a call that is not finished. */
  #drain(): string {
    let text = '';
    while (typeof this.#open !== 'object') {
      const next = this.#waiting.shift();
      if (!next) break;
      text += 'kind' in next ? this.#speak(next) : this.#begin(next);
    }
    return text;
  }

  #speak({ kind, text, signature }: Spoken): string {
    let events = '';
    if (kind === 'text') {
      if (this.#open !== 'text') events += this.#start('text', { type: 'text', text: '' });
      return events + this.text(text);
    }
    if (this.#open !== 'thinking') {
      // Without any text it is thinking that nobody is to see.
      if (text === '' && signature !== undefined) {
        const redacted = this.#start('thinking', { type: 'redacted_thinking', data: signature });
        return redacted + this.#close();
      }
      events += this.#start('thinking', { type: 'thinking', thinking: '', signature: '' });
    }
    if (text !== '') events += this.reasoning({ text });
    if (signature === undefined) return events;
    const delta = { type: 'signature_delta', signature };
    return events + eventOf({ type: 'content_block_delta', index: this.#index, delta }) + this.#close();
  }

  #begin(call: Call): string {
    const { id, name } = call;
    const events = this.#start(call, { type: 'tool_use', id, name, input: {} }) + this.#arguments(call);
    return call.isFinished ? events + this.#close() : events;
  }

  #arguments(call: Call): string {
    const { rest } = call;
    call.rest = '';
    return rest === '' ? '' : `${this.#delta}${JSON.stringify(rest)}}}\n\n`;
  }

  /** The block in front of it ends. */
  #start(open: Spoken['kind'] | Call, block: WireAnswerBlock): string {
    const closed = this.#close();
    this.#open = open;
    const index = ++this.#index;
    const field = typeof open === 'object' ? CALL_DELTA : open === 'text' ? TEXT_DELTA : THINKING_DELTA;
    this.#delta = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":${field}`;
    return closed + eventOf({ type: 'content_block_start', index, content_block: block });
  }

  #close(): string {
    if (this.#open === undefined) return '';
    this.#open = undefined;
    return eventOf({ type: 'content_block_stop', index: this.#index });
  }
}

const TEXT_DELTA = '{"type":"text_delta","text":';
const THINKING_DELTA = '{"type":"thinking_delta","thinking":';
const CALL_DELTA = '{"type":"input_json_delta","partial_json":';

const MESSAGE_STOP = eventOf({ type: 'message_stop' });

function eventOf<Event extends { type: string }>(event: Event): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
