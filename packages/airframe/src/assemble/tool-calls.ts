import type { ToolCall, ToolCallDeltaEvent } from '../events.ts';
import { TextBuffer } from './text-buffer.ts';

/** A piece of a tool call as a backend sends it. */
export interface ToolCallFragment {
  /** The backend's index of the call; missing or repeated at some servers. */
  index?: number | null | undefined;
  id?: string | null | undefined;
  name?: string | null | undefined;
  arguments?: string | undefined;
  /** Opaque; comes back with the call in the next request's history. */
  signature?: string | undefined;
}

interface OpenCall {
  /** Its number among the calls. */
  readonly index: number;
  backendIndex: number | undefined;
  id: string;
  name: string;
  arguments: TextBuffer;
  signature: string | undefined;
}

/** Puts the fragments of tool calls together; arguments are joined and parsed once, at the end. */
export class ToolCalls {
  readonly #calls: OpenCall[] = [];

  /** Adds a fragment and says which call it belongs to. */
  add(fragment: ToolCallFragment): ToolCallDeltaEvent {
    // Mistral fills a missing id with the string "null".
    const id = fragment.id && fragment.id !== 'null' ? fragment.id : '';
    const call = this.#find(fragment, id);
    const delta: ToolCallDeltaEvent = {
      type: 'tool_call_delta',
      index: call.index,
      argumentsDelta: fragment.arguments ?? '',
    };
    // Some servers repeat id and name in each fragment: set once, never joined.
    if (id && !call.id) {
      call.id = id;
      delta.id = id;
    }
    if (fragment.name && !call.name) {
      call.name = fragment.name;
      delta.name = fragment.name;
    }
    if (delta.argumentsDelta) call.arguments.add(delta.argumentsDelta);
    call.signature ??= fragment.signature;
    return delta;
  }

  /** The calls, parsed. */
  finish(): ToolCall[] {
    return this.#calls.map((call, index) => {
      const text = call.arguments.toString();
      const finished: ToolCall = { id: call.id || `call_${index}`, name: call.name, arguments: text || '{}' };
      if (call.signature !== undefined) finished.signature = call.signature;
      try {
        finished.input = JSON.parse(finished.arguments);
      } catch (error) {
        finished.parseError = `the arguments of ${call.name} are not valid JSON: ${(error as Error).message}`;
      }
      return finished;
    });
  }

  /**
   * By index; a new id at a known index starts a new call (all calls with index 0: older Ollama). Without an
   * index by id; else a new id or name opens a call, and so does the same name once the arguments are whole; else the
   * last one goes on.
   */
  #find(fragment: ToolCallFragment, id: string): OpenCall {
    const index = fragment.index ?? undefined;
    let found: OpenCall | undefined;
    const last = this.#calls.at(-1);
    // Nearly always: the next piece of the call that came last.
    if (last && index !== undefined && index === last.backendIndex && (!id || id === last.id)) return last;
    if (index !== undefined) {
      found = this.#calls.findLast(call => call.backendIndex === index);
      if (found?.id && id && found.id !== id) found = this.#calls.find(call => call.id === id);
    } else if (id) {
      found = this.#calls.find(call => call.id === id);
    } else {
      if (last && (!fragment.name || (fragment.name === last.name && !begins(fragment, last)))) found = last;
    }
    if (found) return found;
    const opened: OpenCall = {
      index: this.#calls.length,
      backendIndex: index,
      id: '',
      name: '',
      arguments: new TextBuffer(),
      signature: undefined,
    };
    this.#calls.push(opened);
    return opened;
  }
}

/** A server may repeat the name with each piece, but no piece of whole JSON begins with another object. */
function begins({ arguments: piece = '' }: ToolCallFragment, { arguments: text }: OpenCall): boolean {
  if (!piece.trimStart().startsWith('{')) return false;
  try {
    JSON.parse(text.toString());
    return true;
  } catch {
    return false;
  }
}
