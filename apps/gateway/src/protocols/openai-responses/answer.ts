import type { AirframeError, ReasoningEvent, ToolCall, ToolCallDeltaEvent } from '@x/airframe';
import type { LLMResponse } from '@x/avionics';
import type { AnswerFacts, AnswerWriter } from '../protocol.ts';
import { wireErrorOf } from './errors.ts';
import { EventWriter, type ItemPlace, idsOf, type OpenPlace, PART_EVENTS } from './events.ts';
import {
  callItem,
  callStatus,
  itemId,
  messageItem,
  type PartForm,
  partOf,
  reasoningItem,
  type ThinkingForm,
} from './items.ts';
import { endOf, outputOf } from './whole.ts';
import type { WireItem, WireResponse, WireStatus } from './wire.ts';

/** A message or thinking. */
interface Open extends OpenPlace {
  readonly form: PartForm;
  text: string;
}

interface Call {
  /** Made here until a server gives one: not all of them do. */
  id: string;
  name: string;
  arguments: string;
  /** Absent: it is not announced yet. */
  place?: OpenPlace;
  isFinished: boolean;
}

/**
 * Writes an answer of the Responses API. Tool calls are items of their own and may be open side by side; text and
 * thinking follow each other.
 */
export class ResponseWriter implements AnswerWriter {
  readonly #facts: AnswerFacts;
  readonly #echo: Record<string, unknown>;
  readonly #thinking: ThinkingForm;
  readonly #events = new EventWriter();
  /** Finished items, each in its place. */
  readonly #output: (WireItem | undefined)[] = [];
  #open: Open | undefined;
  readonly #calls = new Map<number, Call>();
  #isOver = false;

  /** @param echo what of the request stands in the answer */
  constructor(facts: AnswerFacts, echo: Record<string, unknown>, thinking: ThinkingForm) {
    this.#facts = facts;
    this.#echo = echo;
    this.#thinking = thinking;
  }

  begin(): string {
    const response = this.#response({ status: 'in_progress' });
    return (
      this.#events.event('response.created', { response }) +
      this.#events.event('response.in_progress', { response })
    );
  }

  text(delta: string): string {
    const open = this.#open;
    if (open?.form !== 'output_text') return delta === '' ? '' : this.#begin('output_text', delta);
    open.text += delta;
    return this.#events.delta(open, delta);
  }

  reasoning({ text, signature }: Pick<ReasoningEvent, 'text' | 'signature'>): string {
    const open = this.#open;
    let events = '';
    if (open === undefined || open.form === 'output_text') {
      if (text !== '') events = this.#begin(this.#thinking, text);
      else if (signature !== undefined) return this.#hidden(signature);
    } else if (text !== '') {
      open.text += text;
      events = this.#events.delta(open, text);
    }
    return signature === undefined ? events : events + this.#close('completed', signature);
  }

  toolCallDelta({ index, id, name, argumentsDelta }: ToolCallDeltaEvent): string {
    const call = this.#call(index);
    if (call.isFinished || this.#isOver) return '';
    call.arguments += argumentsDelta;
    if (call.place) return argumentsDelta === '' ? '' : this.#events.delta(call.place, argumentsDelta);
    call.id = id ?? call.id;
    call.name ||= name ?? '';
    // Some servers send it late.
    return call.name === '' ? '' : this.#announce(call);
  }

  toolCall(index: number, finished: ToolCall): string {
    const call = this.#call(index);
    if (call.isFinished || this.#isOver) return '';
    call.isFinished = true;
    if (!call.place) Object.assign(call, { id: finished.id, name: finished.name });
    const rest = call.arguments === '' ? finished.arguments : '';
    call.arguments += rest;
    if (!call.place) return this.#announce(call) + this.#finish(call, callStatus(finished));
    const events = rest === '' ? '' : this.#events.delta(call.place, rest);
    return events + this.#finish(call, callStatus(finished));
  }

  end(response: LLMResponse): string {
    if (this.#isOver) return '';
    let events = '';
    // Those of a kept answer may not have come one by one.
    response.toolCalls.forEach((call, index) => {
      events += this.toolCall(index, call);
    });
    const end = endOf(response, this.#facts);
    events += this.#close(end.status === 'completed' ? 'completed' : 'incomplete');
    this.#isOver = true;
    const answer = this.#response({ ...end, output: this.#finished });
    return events + this.#events.event(`response.${end.status}`, { response: answer });
  }

  /**
   * First an `error` event, as the API really sends it, for `response.failed` alone passes unnoticed by clients
   * (openai/openai-dotnet#881, 2025-12; langchain-ai/langchain#39039, 2026-07); with its fields as documented, too.
   */
  fail(cause: AirframeError): string {
    this.#isOver = true;
    this.#open = undefined;
    const error = wireErrorOf(cause, this.#facts.requestId);
    const { code, message, param } = error;
    const told = this.#events.event('error', { code, message, param, error });
    const response = this.#response({ status: 'failed', error: { code, message }, output: this.#finished });
    return told + this.#events.event('response.failed', { response });
  }

  whole(response: LLMResponse): WireResponse {
    const output = outputOf(response, this.#facts, this.#thinking);
    return this.#response({ ...endOf(response, this.#facts), output });
  }

  #call(index: number): Call {
    let call = this.#calls.get(index);
    if (!call) {
      call = { id: `call_${index}`, name: '', arguments: '', isFinished: false };
      this.#calls.set(index, call);
    }
    return call;
  }

  /** A message or thinking begins; what is open in front of it ends. */
  #begin(form: PartForm, text: string): string {
    if (this.#isOver) return '';
    const isText = form === 'output_text';
    const closed = this.#close('completed');
    const place = this.#place(isText ? 'message' : 'reasoning');
    const { id, index } = place;
    const item = isText ? messageItem(id, undefined, 'in_progress') : reasoningItem(id, {}, form);
    const { at, more, ...names } = PART_EVENTS[form];
    const delta = this.#events.prefix(`response.${names.text}.delta`, place, { ...at, ...more });
    const open = { ...place, delta, form, text };
    this.#open = open;
    return (
      closed +
      this.#events.event('response.output_item.added', { output_index: index, item }) +
      this.#events.event(`response.${names.part}.added`, { ...idsOf(place), ...at, part: partOf(form, '') }) +
      this.#events.delta(open, text)
    );
  }

  #close(status: WireStatus, signature?: string): string {
    const open = this.#open;
    if (!open) return '';
    this.#open = undefined;
    const { form, id, text } = open;
    const { at, more, ...names } = PART_EVENTS[form];
    const ids = { ...idsOf(open), ...at };
    const thought = signature === undefined ? { text } : { text, signature };
    const item = form === 'output_text' ? messageItem(id, text, status) : reasoningItem(id, thought, form);
    return (
      this.#events.event(`response.${names.text}.done`, { ...ids, text, ...more }) +
      this.#events.event(`response.${names.part}.done`, { ...ids, part: partOf(form, text) }) +
      this.#done(open, item)
    );
  }

  /** Thinking of which nothing is shown. */
  #hidden(signature: string): string {
    if (this.#isOver) return '';
    const closed = this.#close('completed');
    const place = this.#place('reasoning');
    const item = reasoningItem(place.id, { signature }, this.#thinking);
    const added = this.#events.event('response.output_item.added', { output_index: place.index, item });
    return closed + added + this.#done(place, item);
  }

  #announce(call: Call): string {
    const closed = this.#close('completed');
    const ids = this.#place('function_call');
    const delta = this.#events.prefix('response.function_call_arguments.delta', ids, {});
    const place = { ...ids, delta };
    call.place = place;
    const item = callItem(ids.id, { ...call, arguments: '' }, 'in_progress');
    const added = this.#events.event('response.output_item.added', { output_index: ids.index, item });
    return closed + added + (call.arguments === '' ? '' : this.#events.delta(place, call.arguments));
  }

  #finish(call: Call, status: WireStatus): string {
    const { place, name, arguments: text } = call;
    if (!place) return '';
    const done = { ...idsOf(place), name, arguments: text };
    return (
      this.#events.event('response.function_call_arguments.done', done) +
      this.#done(place, callItem(place.id, call, status))
    );
  }

  #done({ index }: ItemPlace, item: WireItem): string {
    this.#output[index] = item;
    return this.#events.event('response.output_item.done', { output_index: index, item });
  }

  /** Takes the next place in the output. */
  #place(type: WireItem['type']): ItemPlace {
    const index = this.#output.push(undefined) - 1;
    return { id: itemId(type, this.#facts, index), index };
  }

  get #finished(): WireItem[] {
    return this.#output.filter(item => item !== undefined);
  }

  #response(facts: Partial<WireResponse> & Pick<WireResponse, 'status'>): WireResponse {
    const { requestId, created, model } = this.#facts;
    return {
      id: `resp_${requestId}`,
      object: 'response',
      created_at: created,
      ...this.#echo,
      error: null,
      incomplete_details: null,
      model,
      output: [],
      usage: null,
      ...facts,
    };
  }
}
