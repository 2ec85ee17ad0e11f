import { AlikeEvents, type Varying } from '../../assemble/alike-events.ts';
import type { Reply } from '../../assemble/reply.ts';
import { AirframeError } from '../../errors.ts';
import type { FinishReason } from '../../events.ts';
import type { StreamReader } from '../../transport/exchange.ts';
import { inBandError } from './errors.ts';
import { encodeSignature, type Signature } from './signatures.ts';
import type { WireBlock, WireDelta, WireError, WireEvent, WireMessage, WireUsage } from './wire.ts';

/** Every other stop reason, also one still unknown, is a `stop`; so is `pause_turn`. */
const FINISH_REASONS: Record<string, FinishReason> = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

/** Reads one answer, in a stream or whole, into a reply. */
export function createReader(reply: Reply): StreamReader {
  return new MessageReader(reply);
}

class MessageReader implements StreamReader {
  readonly #reply: Reply;
  /** Of the text so far. */
  #chars = 0;
  /** Indexes of the blocks that are tool calls. They count blocks of all kinds: `Reply` numbers the calls. */
  readonly #calls = new Set<number>();
  #usage: WireUsage = {};
  #stopReason: string | undefined;
  #stopped = false;
  readonly #alike = new AlikeEvents();

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  event(data: string, name: string | undefined): boolean {
    if (this.#stopped) return true;
    if (name !== 'error' && this.#alike.read(data)) return false;
    const event = parseEvent(data);
    this.#event(event, name);
    const varying = this.#alike.learns ? this.#varyingOf(event) : undefined;
    if (varying) this.#alike.learn(data, varying);
    return this.#stopped;
  }

  body(json: unknown): void {
    const message = objectOf<WireMessage>(json);
    if (message.error) throw inBandError(message);
    this.#identify(message);
    message.content?.forEach((block, index) => {
      this.#open(block, index, JSON.stringify(block.input ?? {}));
    });
    this.#count(message.usage);
    this.#countOutput(message.usage);
    if (message.stop_reason) this.#finish(message.stop_reason);
  }

  /** Only `message_stop` ends a stream: what breaks off after the stop reason is cut all the same. */
  #event(event: WireEvent, name: string | undefined): void {
    if (event.error) throw inBandError(event);
    if (name === 'error') throw inBandError({ error: bareError(event) });
    const { index = 0 } = event;
    switch (event.type ?? name) {
      case 'content_block_delta':
        if (event.delta) this.#delta(event.delta, index);
        break;
      case 'content_block_start':
        if (event.content_block) this.#open(event.content_block, index, '');
        break;
      case 'message_start':
        this.#identify(event.message ?? {});
        // Its output count is provisional: as the figure of a stream that breaks off it would be far too low.
        this.#count(event.message?.usage);
        break;
      case 'message_delta':
        this.#stopReason = event.delta?.stop_reason ?? this.#stopReason;
        this.#count(event.usage);
        this.#countOutput(event.usage);
        break;
      case 'message_stop':
        this.#finish(this.#stopReason);
        break;
    }
  }

  /** @param input arguments of a tool call, as far as they are known at the start of its block */
  #open(block: WireBlock, index: number, input: string): void {
    switch (block.type) {
      case 'text':
        this.#text(block.text ?? '');
        break;
      case 'thinking':
        this.#reply.reasoning(block.thinking ?? '', this.#signature('signed', block.signature));
        break;
      case 'redacted_thinking':
        this.#reply.reasoning('', this.#signature('redacted', block.data));
        break;
      case 'tool_use':
        this.#calls.add(index);
        this.#reply.toolCall({ index, id: block.id, name: block.name, arguments: input });
        break;
    }
  }

  #delta(delta: WireDelta, index: number): void {
    switch (delta.type) {
      case 'text_delta':
        this.#text(delta.text ?? '');
        break;
      case 'thinking_delta':
        this.#reply.reasoning(delta.thinking ?? '');
        break;
      case 'signature_delta':
        this.#reply.reasoning('', this.#signature('signed', delta.signature));
        break;
      case 'input_json_delta':
        // The API's own tools send their input the same way.
        if (this.#calls.has(index)) this.#reply.toolCall({ index, arguments: delta.partial_json });
        break;
    }
  }

  /** The string of a delta of text, thinking or arguments. */
  #varyingOf({ type, delta, index = 0 }: WireEvent): Varying | undefined {
    if (type !== 'content_block_delta' || !delta) return undefined;
    const { text, thinking, partial_json } = delta;
    const place = (key: keyof WireDelta, use: (value: string) => void) =>
      typeof delta[key] === 'string' ? { key, use } : undefined;
    switch (delta.type) {
      case 'text_delta':
        return text ? place('text', value => this.#text(value)) : undefined;
      case 'thinking_delta':
        return thinking ? place('thinking', value => this.#reply.reasoning(value)) : undefined;
      case 'input_json_delta':
        if (!partial_json || !this.#calls.has(index)) return undefined;
        return place('partial_json', value => this.#reply.toolCall({ index, arguments: value }));
      default:
        return undefined;
    }
  }

  #text(text: string): void {
    this.#chars += text.length;
    this.#reply.text(text);
  }

  #signature(kind: Signature['kind'], value: string | undefined): string | undefined {
    return value ? encodeSignature({ kind, value, chars: this.#chars, calls: this.#calls.size }) : undefined;
  }

  #identify({ id, model }: WireMessage): void {
    this.#reply.identify({ responseId: id, model });
  }

  /** Figures are cumulative and replace each other; null leaves the one before. */
  #count(usage: WireUsage | null | undefined): void {
    if (!usage) return;
    const said = Object.entries(usage).filter(([, value]) => value !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(said) };
    const {
      input_tokens: uncached,
      cache_creation_input_tokens: cacheWriteTokens,
      cache_creation: kept,
      cache_read_input_tokens: cachedTokens,
      service_tier: serviceTier,
    } = this.#usage;
    const cacheWrite1hTokens = kept?.ephemeral_1h_input_tokens;
    this.#reply.identify({ serviceTier: serviceTier ?? undefined });
    this.#reply.usage({
      // There is no total: the three parts exclude each other.
      ...(isCount(uncached)
        ? { promptTokens: uncached + (cacheWriteTokens ?? 0) + (cachedTokens ?? 0) }
        : {}),
      ...(isCount(cachedTokens) ? { cachedTokens } : {}),
      ...(isCount(cacheWriteTokens) ? { cacheWriteTokens } : {}),
      ...(isCount(cacheWrite1hTokens) ? { cacheWrite1hTokens } : {}),
    });
  }

  #countOutput(usage: WireUsage | null | undefined): void {
    const completionTokens = usage?.output_tokens;
    const reasoningTokens = usage?.output_tokens_details?.thinking_tokens;
    this.#reply.usage({
      ...(isCount(completionTokens) ? { completionTokens } : {}),
      ...(isCount(reasoningTokens) ? { reasoningTokens } : {}),
    });
  }

  #finish(reason: string | undefined): void {
    this.#reply.finish(FINISH_REASONS[reason ?? ''] ?? 'stop');
    this.#stopped = true;
  }
}

function isCount(value: number | null | undefined): value is number {
  return typeof value === 'number';
}

/** llama-server sends the error itself, not one inside an event (server-http.cpp, de3ff815, 2026-09-28). */
function bareError(event: object): WireError {
  return event;
}

function parseEvent(data: string): WireEvent {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch (cause) {
    const problem = `the Messages API sent an event that is not JSON: ${data.slice(0, 100)}`;
    throw new AirframeError('parse', problem, { raw: data, cause });
  }
  return objectOf<WireEvent>(json);
}

function objectOf<T extends object>(json: unknown): T {
  if (typeof json === 'object' && json !== null) return json as T;
  throw new AirframeError('parse', `the Messages API sent ${JSON.stringify(json)} where an object belongs`);
}
