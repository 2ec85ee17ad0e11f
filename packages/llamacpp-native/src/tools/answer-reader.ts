import { randomUUID } from 'node:crypto';
import { AirframeError, type FinishReason, type ToolCallFragment } from '@x/airframe';
import { StopScanner } from '../stop-scanner.ts';
import { JsonText } from './json-text.ts';

/** Where what an answer says goes. */
export interface AnswerWriter {
  text(text: string): void;
  toolCall(fragment: ToolCallFragment): void;
  finish(reason: FinishReason): void;
}

/** How many brackets and braces are open where the keys of the answer stand, and those of a call in it. */
const IN_ANSWER = 1;
const IN_CALL = 3;

/** Reads an answer of the schema in answer-schema.ts as it comes, cut anywhere. */
export class AnswerReader {
  readonly #writer: AnswerWriter;
  readonly #stop: StopScanner;
  readonly #response = new JsonText();
  /** Brackets and braces that are open. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The inside of a key or a name. */
  #string = '';
  /** The keys whose values are being read: of the answer, of a call. */
  #answerKey: string | undefined;
  #callKey: string | undefined;
  #call = -1;
  /** Not told yet: of arguments, or of the response, as it is written. */
  #raw = '';
  #over = false;
  #stopped = false;

  /** @param stop sequences that end the response: they are to be found in what it says, not in how that is written */
  constructor(writer: AnswerWriter, stop: readonly string[] = []) {
    this.#writer = writer;
    this.#stop = new StopScanner(stop);
  }

  /** A stop sequence has ended it: nothing more need be generated. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Takes the next piece of the answer and writes what it says. */
  push(piece: string): void {
    for (const char of piece) {
      if (this.#over) return;
      if (this.#callKey === 'arguments') this.#readArguments(char);
      else this.#read(char);
    }
    if (this.#callKey === 'arguments') this.#tellArguments();
    else this.#tellResponse();
  }

  /**
   * The model's end. An answer that was cut has been told as far as it goes.
   * @throws AirframeError parse: the model ended it by itself, and it is not whole
   */
  end(reason: FinishReason): void {
    if (this.#over) return;
    if (reason === 'stop') {
      throw new AirframeError('parse', 'the model ended its answer in the middle of a tool call or a text');
    }
    this.#endResponse();
    this.#finish(reason);
  }

  #readArguments(char: string): void {
    if (!this.#inString && this.#depth === IN_CALL) {
      if (/\s/.test(char)) return;
      if (char === ',' || char === '}') {
        this.#tellArguments();
        this.#read(char);
        return;
      }
    }
    this.#raw += char;
    this.#track(char);
  }

  /** All but the arguments of calls. */
  #read(char: string): void {
    const wasInString = this.#inString;
    this.#track(char);
    if (wasInString && this.#inString) this.#readInside(char);
    else if (wasInString) this.#readString();
    else if (char === ':') this.#setKey(this.#string);
    else if (char === ',') this.#setKey(undefined);
    else if (char === '{' && this.#depth === IN_CALL) this.#call++;
    else if (char === '}') this.#readClosing();
    if (!wasInString && this.#inString) this.#string = '';
  }

  #track(char: string): void {
    if (!this.#inString) {
      if (char === '"') this.#inString = true;
      else if (char === '{' || char === '[') this.#depth++;
      else if (char === '}' || char === ']') this.#depth--;
    } else if (this.#escaped) this.#escaped = false;
    else if (char === '\\') this.#escaped = true;
    else if (char === '"') this.#inString = false;
  }

  #readInside(char: string): void {
    if (this.#inResponse) this.#raw += char;
    else this.#string += char;
  }

  #readString(): void {
    if (this.#inResponse) this.#endResponse();
    else if (this.#callKey === 'name') {
      this.#writer.toolCall({ index: this.#call, id: `call_${randomUUID()}`, name: this.#string });
    }
  }

  get #inResponse(): boolean {
    return this.#depth === IN_ANSWER && this.#answerKey === 'response';
  }

  #setKey(key: string | undefined): void {
    if (this.#depth === IN_ANSWER) this.#answerKey = key;
    else if (this.#depth === IN_CALL) this.#callKey = key;
  }

  #readClosing(): void {
    this.#callKey = undefined;
    if (this.#depth === 0) this.#finish('stop');
  }

  #tellArguments(): void {
    if (this.#raw !== '') this.#writer.toolCall({ index: this.#call, arguments: this.#raw });
    this.#raw = '';
  }

  #tellResponse(): void {
    const said = this.#response.push(this.#raw);
    this.#raw = '';
    this.#say(said);
  }

  #endResponse(): void {
    this.#tellResponse();
    this.#say(this.#response.end());
    if (!this.#over) this.#writer.text(this.#stop.flush());
  }

  #say(said: string): void {
    if (this.#over) return;
    const { text, stopped } = this.#stop.push(said);
    this.#writer.text(text);
    this.#stopped = stopped;
    if (stopped) this.#finish('stop');
  }

  #finish(reason: FinishReason): void {
    this.#over = true;
    this.#writer.finish(reason);
  }
}
