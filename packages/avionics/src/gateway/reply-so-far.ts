import type { AirframeError, AssistantMessage, DoneEvent, InferenceStreamEvent, ToolCall } from '@x/airframe';
import type { Meter } from './meter.ts';
import type { Output } from './response.ts';

/** What a call has gathered from its providers. */
export class ReplySoFar {
  readonly #meter: Meter;
  text = '';
  toolCalls: ToolCall[] = [];
  done: DoneEvent | undefined;
  /** Why there will be no response; the first one counts. */
  error: AirframeError | undefined;
  /** Tokens of the text in front of a seam that was continued. */
  tokensBefore = 0;
  #textBefore = '';
  #message: AssistantMessage | undefined;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** Takes an event in; returns it where it is output that a consumer may get. */
  take(event: InferenceStreamEvent): Output | undefined {
    switch (event.type) {
      case 'token':
        this.text += event.text;
        this.#count();
        return event.text === '' ? undefined : event;
      case 'reasoning':
      case 'tool_call_delta':
        this.#count();
        return event;
      case 'tool_call':
        this.toolCalls.push(event.call);
        return event;
      case 'message':
        this.#message = event.message;
        break;
      case 'error':
        this.error ??= event.error;
        break;
      case 'done':
        this.done = event;
        break;
    }
    return undefined;
  }

  /** Completion tokens so far. */
  get counted(): number {
    return this.tokensBefore + this.#meter.counted;
  }

  /** The reply for the history, with the text in front of a seam. */
  get message(): AssistantMessage | undefined {
    if (!this.#message || !this.#textBefore) return this.#message;
    return { ...this.#message, content: this.#textBefore + this.#message.content };
  }

  /** Another provider goes on behind the text so far. */
  continue(): void {
    this.tokensBefore += this.done?.usage.completionTokens ?? 0;
    this.#textBefore = this.text;
    this.#clear();
  }

  /** Another answer takes the place of this one. */
  restart(): void {
    this.tokensBefore = 0;
    this.text = '';
    this.#textBefore = '';
    this.#clear();
  }

  #clear(): void {
    this.toolCalls = [];
    this.done = undefined;
    this.error = undefined;
    this.#message = undefined;
  }

  /** A delta holds at least one token. */
  #count(): void {
    const stop = this.#meter.token();
    this.error ??= stop;
  }
}
