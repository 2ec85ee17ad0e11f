import type { AssistantMessage, ImagePart, Message, TextPart, ToolMessage } from '@x/airframe';
import type {
  WireAssistantBlock,
  WireImageBlock,
  WireMessage,
  WireRequest,
  WireToolResultBlock,
  WireUserBlock,
} from './wire.ts';

/** The whole conversation, instructions in front. */
export function conversationOf({ system, messages }: Pick<WireRequest, 'system' | 'messages'>): Message[] {
  const instructions = textOf((system ?? []).filter(({ text }) => !isBilling(text)));
  return [
    ...(instructions === '' ? [] : [{ role: 'system' as const, content: instructions }]),
    ...messages.flatMap(turnOf),
  ];
}

/**
 * Claude Code puts a line in front of its instructions that differs in each call and that no model needs: with it no
 * prompt is ever found in a cache (ggml-org/llama.cpp#20623, vllm-project/vllm#36829, 2026-03).
 */
function isBilling(text: string): boolean {
  return text.startsWith('x-anthropic-billing-header:');
}

function turnOf(message: WireMessage): Message[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: textOf(message.content) }];
    case 'user':
      return userTurn(message.content);
    case 'assistant':
      return [assistantMessage(message.content)];
  }
}

/** Results come first: they answer the calls of the turn before. */
function userTurn(blocks: WireUserBlock[]): Message[] {
  const results = blocks.filter(block => block.type === 'tool_result');
  // A result holds text alone; its images follow with the user's words.
  const parts = [
    ...results.flatMap(({ content }) => (content ?? []).filter(block => block.type === 'image')),
    ...blocks.filter(block => block.type !== 'tool_result'),
  ].map(partOf);
  const [first] = parts;
  const turn: Message[] = results.map(toolMessage);
  if (parts.length === 1 && first?.type === 'text') turn.push({ role: 'user', content: first.text });
  else if (parts.length > 0) turn.push({ role: 'user', content: parts });
  return turn;
}

function toolMessage({ tool_use_id, content, is_error }: WireToolResultBlock): ToolMessage {
  const texts = (content ?? []).map(block => (block.type === 'text' ? block.text : '[image: see below]'));
  const message: ToolMessage = { role: 'tool', toolCallId: tool_use_id, content: texts.join('\n') };
  return is_error ? { ...message, isError: true } : message;
}

function partOf(block: WireImageBlock | { type: 'text'; text: string }): TextPart | ImagePart {
  if (block.type === 'text') return { type: 'text', text: block.text };
  const { source } = block;
  return {
    type: 'image',
    url: source.type === 'url' ? source.url : `data:${source.media_type};base64,${source.data}`,
  };
}

/** Texts are joined without anything between: signatures tell the place of thinking by the characters before it. */
function assistantMessage(blocks: WireAssistantBlock[]): AssistantMessage {
  let content = '';
  const reasoning: NonNullable<AssistantMessage['reasoning']> = [];
  const toolCalls: NonNullable<AssistantMessage['toolCalls']> = [];
  for (const block of blocks) {
    switch (block.type) {
      case 'text':
        content += block.text;
        break;
      case 'thinking': {
        const { thinking: text, signature } = block;
        reasoning.push(signature ? { text, signature } : { text });
        break;
      }
      case 'redacted_thinking':
        reasoning.push({ text: '', signature: block.data });
        break;
      case 'tool_use': {
        const { id, name, input } = block;
        toolCalls.push({ id, name, arguments: JSON.stringify(input), input });
        break;
      }
    }
  }
  return {
    role: 'assistant',
    content,
    ...(reasoning.length > 0 && { reasoning }),
    ...(toolCalls.length > 0 && { toolCalls }),
  };
}

function textOf(blocks: readonly { text: string }[]): string {
  return blocks.map(({ text }) => text).join('\n\n');
}
