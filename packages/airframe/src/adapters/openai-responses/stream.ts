import type { Reply, ReportedUsage } from '../../assemble/reply.ts';
import { AirframeError } from '../../errors.ts';
import type { StreamReader } from '../../transport/exchange.ts';
import { errorIn, inBandError, type WireError } from '../../wire-openai/errors.ts';
import { encodeSignature } from './signatures.ts';
import type { WireEvent, WireItem, WireResponse, WireUsage } from './wire.ts';

/** Reads one answer, in a stream or whole, into a reply. A refusal is text: a model that declines has answered. */
export function createReader(reply: Reply): StreamReader {
  return new ResponseReader(reply);
}

/** An output item under way. */
interface OpenItem {
  /** Number of the call among the calls, when it is one. */
  call?: number;
  /** The parts that have come, in whole or in deltas. */
  parts: Set<string>;
  /** Its place: text and calls before it. llama-server ends its thinking behind the text that follows. */
  chars: number;
  calls: number;
}

class ResponseReader implements StreamReader {
  readonly #reply: Reply;
  /** Of the text so far. */
  #chars = 0;
  #calls = 0;
  readonly #byId = new Map<string, OpenItem>();
  readonly #byIndex = new Map<number, OpenItem>();
  #over = false;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  event(data: string, name: string | undefined): boolean {
    // The API itself sends no [DONE]; from a server that does it says nothing about how the reply ended.
    if (!this.#over && data.trim() !== '' && !data.startsWith('[DONE]')) this.#event(parseEvent(data), name);
    return this.#over;
  }

  body(json: unknown): void {
    const response = objectOf<WireResponse>(json);
    if (response.error) throw this.#failure(response);
    if (!response.output) {
      throw new AirframeError('parse', 'the backend answered without output', { raw: JSON.stringify(json) });
    }
    response.output.forEach((item, output_index) => {
      this.#done(this.#open({ item, output_index }), item);
    });
    // JSON that is whole has no later place for a status.
    this.#end(response, response.status ?? 'completed');
  }

  #event(event: WireEvent, name: string | undefined): void {
    const type = name === 'error' ? name : (event.type ?? name);
    const { delta, item } = event;
    switch (type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        this.#identify(event.response ?? {});
        break;
      case 'response.output_item.added':
        if (item) this.#open(event);
        break;
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        if (delta) this.#text(this.#item(event), partOf(event, type), delta);
        break;
      case 'response.function_call_arguments.delta':
        if (delta) this.#arguments(this.#item(event), delta);
        break;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        if (delta) this.#thought(this.#item(event), partOf(event, type), delta);
        break;
      case 'response.output_item.done':
        if (item) this.#done(this.#item(event), item);
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        this.#end(event.response ?? {}, type.slice('response.'.length));
        break;
      case 'error':
        throw inBandError(errorIn(event) ?? flatError(event));
      default:
        // `keepalive`, the tools that the API runs itself, and whatever comes next year.
        if (event.error && type === undefined) throw inBandError(errorIn(event) ?? {});
    }
  }

  /** A new item. */
  #open({ item, output_index, item_id }: WireEvent): OpenItem {
    const open: OpenItem = { parts: new Set(), chars: this.#chars, calls: this.#calls };
    const id = item?.id ?? item_id;
    if (id) this.#byId.set(id, open);
    if (typeof output_index === 'number') this.#byIndex.set(output_index, open);
    if (item?.type === 'function_call') this.#call(open, item);
    return open;
  }

  /** The item of an event: by id, or by place at servers whose ids change. */
  #item(event: WireEvent): OpenItem {
    const byId = this.#byId.get(event.item?.id ?? event.item_id ?? '');
    return byId ?? this.#byIndex.get(event.output_index ?? -1) ?? this.#open(event);
  }

  /** A call has two ids: the deltas go by the item's, but its result by `call_id`. */
  #call(open: OpenItem, { call_id, id, name, arguments: args }: WireItem): void {
    if (open.call !== undefined) return;
    // Numbered among the calls: `output_index` counts items of all kinds.
    open.call = this.#calls++;
    if (args) open.parts.add('arguments');
    this.#reply.toolCall({ index: open.call, id: call_id || id, name, arguments: args ?? '' });
  }

  #arguments(open: OpenItem, piece: string): void {
    if (open.call === undefined) return;
    open.parts.add('arguments');
    this.#reply.toolCall({ index: open.call, arguments: piece });
  }

  #text(open: OpenItem, part: string, text: string): void {
    open.parts.add(part);
    this.#chars += text.length;
    this.#reply.text(text);
  }

  /** Each part of a summary is a paragraph of its own. */
  #thought(open: OpenItem, part: string, text: string): void {
    const isNext = open.parts.size > 0 && !open.parts.has(part);
    open.parts.add(part);
    this.#reply.reasoning(isNext ? `\n\n${text}` : text);
  }

  /** The whole item: what came in no delta is read here, and thinking gets its signature, final only now. */
  #done(open: OpenItem, item: WireItem): void {
    const { type, summary, content, arguments: args } = item;
    if (type === 'function_call') {
      this.#call(open, item);
      if (args && !open.parts.has('arguments')) this.#arguments(open, args);
    }
    if (type === 'message') {
      content?.forEach((part, index) => {
        const [name, text] = part.refusal ? [`refusal.${index}`, part.refusal] : [`text.${index}`, part.text];
        if (text && !open.parts.has(name)) this.#text(open, name, text);
      });
    }
    if (type === 'reasoning') {
      for (const [kind, parts] of [['summary', summary] as const, ['thought', content] as const]) {
        parts?.forEach(({ text }, index) => {
          const name = `${kind}.${index}`;
          if (text && !open.parts.has(name)) this.#thought(open, name, text);
        });
      }
      this.#reply.reasoning('', encodeSignature({ item, chars: open.chars, calls: open.calls }));
    }
  }

  #end(response: WireResponse, status: string | null | undefined): void {
    this.#identify(response);
    // At the start it is only the tier asked for.
    this.#reply.identify({ serviceTier: response.service_tier ?? undefined });
    if (response.usage) this.#reply.usage(usageOf(response.usage));
    if (status === 'failed' || status === 'cancelled') throw this.#failure(response);
    if (status === 'completed') this.#reply.finish('stop');
    if (status === 'incomplete') {
      const isFiltered = response.incomplete_details?.reason === 'content_filter';
      this.#reply.finish(isFiltered ? 'content_filter' : 'length');
    }
    this.#over = true;
  }

  #failure(response: WireResponse): AirframeError {
    this.#identify(response);
    if (response.usage) this.#reply.usage(usageOf(response.usage));
    if (response.status === 'cancelled') {
      const problem = 'the response was cancelled at the backend';
      return new AirframeError('backend', problem, { code: 'cancelled' });
    }
    return inBandError(errorIn(response) ?? {});
  }

  #identify({ id, model }: WireResponse): void {
    this.#reply.identify({ responseId: id ?? undefined, model: model ?? undefined });
  }
}

/** The event is the error; its type is that of the event. */
function flatError({ code, message, param }: WireEvent): WireError {
  return { code: code ?? null, message: message ?? null, param: param ?? null };
}

/** The part of an item that a delta belongs to. */
function partOf({ content_index, summary_index }: WireEvent, type: string): string {
  if (type === 'response.output_text.delta') return `text.${content_index ?? 0}`;
  if (type === 'response.refusal.delta') return `refusal.${content_index ?? 0}`;
  if (type === 'response.reasoning_text.delta') return `thought.${content_index ?? 0}`;
  return `summary.${summary_index ?? 0}`;
}

function usageOf({ input_tokens, input_tokens_details, output_tokens, ...rest }: WireUsage): ReportedUsage {
  const figures: Partial<Record<keyof ReportedUsage, number | null | undefined>> = {
    promptTokens: input_tokens,
    completionTokens: output_tokens,
    cachedTokens: input_tokens_details?.cached_tokens,
    cacheWriteTokens: input_tokens_details?.cache_write_tokens,
    reasoningTokens: rest.output_tokens_details?.reasoning_tokens,
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => typeof value === 'number'));
}

function parseEvent(data: string): WireEvent {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch (cause) {
    const problem = `the Responses API sent an event that is not JSON: ${data.slice(0, 100)}`;
    throw new AirframeError('parse', problem, { raw: data, cause });
  }
  return objectOf<WireEvent>(json);
}

function objectOf<T extends object>(json: unknown): T {
  if (typeof json === 'object' && json !== null) return json as T;
  throw new AirframeError('parse', `the Responses API sent ${JSON.stringify(json)} where an object belongs`);
}
