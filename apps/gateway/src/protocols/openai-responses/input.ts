import type { AssistantMessage, ImagePart, Message, TextPart, ToolMessage } from '@x/airframe';
import type {
  WireFunctionCallOutput,
  WireInputItem,
  WireMessage,
  WirePart,
  WireReasoning,
  WireRequest,
} from './wire.ts';

/** The whole conversation, instructions in front. */
export function conversationOf({
  instructions,
  input,
}: Pick<WireRequest, 'instructions' | 'input'>): Message[] {
  const messages: Message[] = instructions ? [{ role: 'system', content: instructions }] : [];
  /** Images of results, which follow the last of these. */
  let images: ImagePart[] = [];
  for (const item of input) {
    if (item.type === 'function_call_output') {
      messages.push(toolMessage(item));
      images.push(...item.output.flatMap(part => (part.type === 'input_image' ? [imageOf(part)] : [])));
      continue;
    }
    if (images.length > 0) messages.push({ role: 'user', content: images });
    images = [];
    if (item.type === 'message' && item.role !== 'assistant') messages.push(spoken(item));
    else addTo(assistantAt(messages), item);
  }
  if (images.length > 0) messages.push({ role: 'user', content: images });
  return messages;
}

/** Items of one turn are one message. */
function assistantAt(messages: Message[]): AssistantMessage {
  const last = messages.at(-1);
  if (last?.role === 'assistant') return last;
  const message: AssistantMessage = { role: 'assistant', content: '' };
  messages.push(message);
  return message;
}

/** Texts are joined without anything between: signatures tell the place of thinking by the characters before it. */
function addTo(message: AssistantMessage, item: Exclude<WireInputItem, WireFunctionCallOutput>): void {
  switch (item.type) {
    case 'message':
      message.content += item.content.map(textOf).join('');
      break;
    case 'function_call': {
      const { call_id: id, name, arguments: text } = item;
      message.toolCalls = [...(message.toolCalls ?? []), { id, name, arguments: text }];
      break;
    }
    case 'reasoning': {
      const part = thinkingOf(item);
      if (part) message.reasoning = [...(message.reasoning ?? []), part];
    }
  }
}

/** @returns undefined for an item that is nothing but an id: what it stands for was never kept */
function thinkingOf({ summary, content, encrypted_content: signature }: WireReasoning) {
  const parts = content?.length ? content : (summary ?? []);
  const text = parts.map(part => part.text).join('\n\n');
  if (!signature) return text === '' ? undefined : { text };
  return { text, signature };
}

function spoken({ role, content }: WireMessage): Message {
  if (role !== 'user') return { role: 'system', content: content.map(textOf).join('\n\n') };
  const parts = content.map((part): TextPart | ImagePart =>
    part.type === 'input_image' ? imageOf(part) : { type: 'text', text: textOf(part) },
  );
  const [first] = parts;
  return { role, content: parts.length === 1 && first?.type === 'text' ? first.text : parts };
}

function toolMessage({ call_id, output }: WireFunctionCallOutput): ToolMessage {
  return { role: 'tool', toolCallId: call_id, content: output.map(textOf).join('\n') };
}

/** A message of text alone says at least that there was an image. */
function textOf(part: WirePart): string {
  if (part.type === 'input_image') return '[image: see below]';
  return part.type === 'refusal' ? part.refusal : part.text;
}

function imageOf({ image_url: url }: { image_url: string }): ImagePart {
  return { type: 'image', url };
}
