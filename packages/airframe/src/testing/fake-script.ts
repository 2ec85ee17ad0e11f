import type { Reply, ReportedUsage } from '../assemble/reply.ts';
import { AirframeError, type ErrorCategory } from '../errors.ts';
import type { FinishReason } from '../events.ts';
import type { InferenceRequest } from '../request.ts';
import type { Deadlines } from '../transport/deadline.ts';
import { sleep } from '../transport/sleep.ts';

/** One step of a scripted answer. */
export type FakePiece =
  /** Text, as one `token` event. */
  | string
  | { reasoning: string; signature?: string }
  /** `arguments`: an object, or a text for JSON that a model got wrong. `id`: default `call_1`, `call_2` and so on. */
  | { toolCall: { name: string; id?: string; arguments?: Record<string, unknown> | string } }
  /** What the backend reports. Without it usage is estimated: 4 characters a token. */
  | { usage: ReportedUsage }
  /** Milliseconds of silence. Before the first output they count against `headersMs`, after it against `idleMs`. */
  | { delayMs: number }
  /** Milliseconds of silence before each output that follows. */
  | { paceMs: number }
  /** How the answer ends. Without it: `stop`, or `tool_calls` when there were any. */
  | { finish: Extract<FinishReason, 'stop' | 'length' | 'tool_calls' | 'content_filter'> }
  /** Fails here: before the first output when it stands first. */
  | { error: ErrorCategory | AirframeError }
  /** Says nothing more and stays open, until `idleMs`, `totalMs` or the caller ends the call. */
  | { stall: true }
  /** Ends here without an end signal, as a cut connection does. */
  | { truncate: true };

/** A text, which comes word by word; or pieces in their order. */
export type FakeAnswer = string | readonly FakePiece[];

/** An answer, or what makes one of the request. `call`: 0 for the adapter's first call. */
export type FakeScript =
  | FakeAnswer
  | ((request: InferenceRequest, call: number) => FakeAnswer | Promise<FakeAnswer>);

/** The pieces of an answer. */
export function piecesOf(answer: FakeAnswer): readonly FakePiece[] {
  return typeof answer === 'string' ? (answer.match(/\s*\S+|\s+$/g) ?? []) : answer;
}

/** Plays one answer, under the clocks that a real backend would be under. */
export class Playback {
  readonly #deadlines: Deadlines;
  readonly #reply: Reply;
  readonly #streamed: boolean;
  #phase: 'headers' | 'idle' = 'headers';
  #paceMs = 0;
  #toolCalls = 0;

  /** @param streamed false: all output comes at the end, neighbouring texts as one */
  constructor(deadlines: Deadlines, reply: Reply, streamed: boolean) {
    this.#deadlines = deadlines;
    this.#reply = reply;
    this.#streamed = streamed;
  }

  async *play(pieces: readonly FakePiece[]): AsyncGenerator<void, void, undefined> {
    const held: OutputPiece[] = [];
    for (const piece of pieces) {
      if (!isOutput(piece)) {
        if ('truncate' in piece) return;
        await this.#perform(piece);
        continue;
      }
      await this.#silence(this.#paceMs);
      if (this.#streamed) {
        this.#phase = 'idle';
        this.#output(piece);
        yield;
      } else {
        const last = held.at(-1);
        if (typeof piece === 'string' && typeof last === 'string') held.splice(-1, 1, last + piece);
        else held.push(piece);
      }
    }
    for (const piece of held) this.#output(piece);
    this.#reply.finish('stop');
  }

  #output(piece: OutputPiece): void {
    if (typeof piece === 'string') {
      this.#reply.text(piece);
    } else if ('reasoning' in piece) {
      this.#reply.reasoning(piece.reasoning, piece.signature);
    } else {
      const index = this.#toolCalls++;
      const { id = `call_${index + 1}`, name, arguments: given = {} } = piece.toolCall;
      const text = typeof given === 'string' ? given : JSON.stringify(given);
      this.#reply.toolCall({ index, id, name });
      this.#reply.toolCall({ index, arguments: text });
    }
  }

  async #perform(piece: OtherPiece): Promise<void> {
    if ('usage' in piece) this.#reply.usage(piece.usage);
    else if ('finish' in piece) this.#reply.finish(piece.finish);
    else if ('paceMs' in piece) this.#paceMs = piece.paceMs;
    else if ('delayMs' in piece) await this.#silence(piece.delayMs);
    else if ('error' in piece) throw errorOf(piece.error);
    else if ('stall' in piece) await this.#stall();
    else throw new AirframeError('invalid_request', `the script has no such piece: ${JSON.stringify(piece)}`);
  }

  async #silence(ms: number): Promise<void> {
    const { signal } = this.#deadlines;
    if (ms > 0) {
      this.#deadlines.enter(this.#phase);
      await sleep(ms, signal);
      this.#deadlines.pause();
    }
    signal.throwIfAborted();
  }

  async #stall(): Promise<void> {
    const { signal } = this.#deadlines;
    this.#deadlines.enter('idle');
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    signal.throwIfAborted();
  }
}

type OutputPiece = string | Extract<FakePiece, { reasoning: string } | { toolCall: object }>;
type OtherPiece = Exclude<FakePiece, OutputPiece | { truncate: true }>;

function isOutput(piece: FakePiece): piece is OutputPiece {
  return typeof piece === 'string' || 'reasoning' in piece || 'toolCall' in piece;
}

function errorOf(error: ErrorCategory | AirframeError): AirframeError {
  return typeof error === 'string' ? new AirframeError(error, `the script fails here with ${error}`) : error;
}
