import type { AssistantMessage } from '../../events.ts';
import type { Message, UserMessage } from '../../request.ts';
import { decodeSignature } from './signatures.ts';
import type { WireItem } from './wire.ts';

type Item = { type?: string; [field: string]: unknown };

/** The chat in the API's form. */
export interface WireInput {
  /** The first system message. */
  instructions: string | undefined;
  /** All the rest, in its order; later system messages stay in their place. */
  input: Item[];
}

/** @param stored whether OpenAI kept the responses that the messages come from */
export function inputOf(messages: readonly Message[], stored: boolean): WireInput {
  const [first, ...rest] = messages;
  // An input cannot be empty.
  const leading = first?.role === 'system' && rest.length > 0 ? first : undefined;
  return {
    instructions: leading?.content,
    input: (leading ? rest : messages).flatMap(message => itemsOf(message, stored)),
  };
}

function itemsOf(message: Message, stored: boolean): Item[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: message.content }];
    case 'user':
      return [{ role: 'user', content: userContent(message) }];
    case 'tool': {
      const { toolCallId, content } = message;
      return [{ type: 'function_call_output', call_id: callId(toolCallId), output: content }];
    }
    case 'assistant':
      return assistantItems(message, stored);
  }
}

function userContent({ content }: UserMessage): string | object[] {
  if (typeof content === 'string') return content;
  return content.map(part =>
    part.type === 'text'
      ? { type: 'input_text', text: part.text }
      : { type: 'input_image', image_url: part.url, detail: 'auto' },
  );
}

/**
 * Thinking goes back where it stood between text and tool calls; thinking of other backends is left out. Messages and
 * calls go back without item ids: with one, the API insists on the reasoning item that came with it.
 */
function assistantItems(message: AssistantMessage, stored: boolean): Item[] {
  const { content, reasoning = [], toolCalls = [] } = message;
  const items: Item[] = [];
  let chars = 0;
  let calls = 0;
  const goTo = (nextChars: number, nextCalls: number): void => {
    const text = content.slice(chars, nextChars);
    if (text !== '') items.push({ role: 'assistant', content: [{ type: 'output_text', text }] });
    for (const { id, name, arguments: args } of toolCalls.slice(calls, nextCalls)) {
      items.push({ type: 'function_call', call_id: callId(id), name, arguments: args || '{}' });
    }
    chars = nextChars;
    calls = nextCalls;
  };
  for (const { signature } of reasoning) {
    const signed = decodeSignature(signature);
    if (!signed || !(stored || isSelfContained(signed.item))) continue;
    goTo(Math.max(chars, signed.chars), Math.max(calls, signed.calls));
    items.push(reasoningItem(signed.item));
  }
  goTo(Math.max(chars, content.length), Math.max(calls, toolCalls.length));
  // The API refuses reasoning without the item it led to, as a reply cut within its thinking has it
  // (openai/openai-agents-python#1611, 2025-08).
  return items.slice(0, 1 + items.findLastIndex(({ type }) => type !== 'reasoning'));
}

/** Without its content an item is only an id, and OpenAI does not know the id of what it has not stored. */
function isSelfContained({ encrypted_content, content }: WireItem): boolean {
  return Boolean(encrypted_content) || Boolean(content?.length);
}

/**
 * As it came, but for `status`, which is output only: "Unknown parameter: 'input[1].status'" (BerriAI/litellm#13420,
 * 2025-08). `summary` is required, also when it is empty.
 */
function reasoningItem({ status: _, ...item }: WireItem): Item {
  const said = Object.entries(item).filter(([, value]) => value !== null);
  return { summary: [], ...Object.fromEntries(said), type: 'reasoning' };
}

const MAX_CALL_ID = 64;

/** The API refuses longer ids, which other backends' calls may have; the same id always gives the same short one. */
function callId(id: string): string {
  if (id.length <= MAX_CALL_ID) return id;
  return `call_${process.getBuiltinModule('node:crypto').createHash('sha256').update(id).digest('hex').slice(0, 32)}`;
}
