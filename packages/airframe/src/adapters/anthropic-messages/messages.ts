import { AirframeError } from '../../errors.ts';
import type { AssistantMessage, ToolCall } from '../../events.ts';
import type { Message, UserMessage } from '../../request.ts';
import { decodeSignature } from './signatures.ts';

interface Turn {
  role: 'user' | 'assistant';
  /** They have to come before all else of their turn. */
  toolResults: object[];
  blocks: object[];
}

/** The text of all system messages, wherever they stand; undefined without one. */
export function systemOf(messages: readonly Message[]): string | undefined {
  const texts = messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  return texts.join('\n\n') || undefined;
}

/**
 * The chat as turns of blocks. Neighbours of one role are one turn, and tool results belong to the user: the results
 * of parallel calls have to be in one turn.
 * @throws AirframeError (invalid_request) for what the API has no form for
 */
export function turnsOf(messages: readonly Message[]): object[] {
  const turns: Turn[] = [];
  const turnOf = (role: Turn['role']): Turn => {
    const last = turns.at(-1);
    if (last?.role === role) return last;
    const turn = { role, toolResults: [], blocks: [] };
    turns.push(turn);
    return turn;
  };
  for (const message of messages) {
    if (message.role === 'user') turnOf('user').blocks.push(...userBlocks(message));
    if (message.role === 'tool') {
      const { toolCallId, content, isError } = message;
      const result = { type: 'tool_result' as const, tool_use_id: idOf(toolCallId), content };
      turnOf('user').toolResults.push(isError ? { ...result, is_error: true } : result);
    }
    if (message.role === 'assistant') {
      const blocks = assistantBlocks(message);
      if (blocks.length > 0) turnOf('assistant').blocks.push(...blocks);
    }
  }
  return turns.map(({ role, toolResults, blocks }) => ({ role, content: [...toolResults, ...blocks] }));
}

function userBlocks({ content }: UserMessage): object[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.map(part =>
    part.type === 'text' ? part : { type: 'image', source: imageSource(part.url) },
  );
}

function imageSource(url: string): object {
  if (!url.startsWith('data:')) return { type: 'url', url };
  const comma = url.indexOf(',');
  const [mediaType, ...parameters] = url.slice('data:'.length, comma).split(';');
  if (comma < 0 || !mediaType || parameters.at(-1) !== 'base64') {
    throw new AirframeError(
      'invalid_request',
      'an image is given as a data: URL without a media type or not in base64',
      { remedy: 'write it as data:image/png;base64,…' },
    );
  }
  return { type: 'base64', media_type: mediaType, data: url.slice(comma + 1) };
}

type Block = { type: 'text' | 'tool_use' | 'thinking' | 'redacted_thinking'; [field: string]: unknown };

/** Thinking goes back where it stood between text and tool calls; thinking of other backends is left out. */
function assistantBlocks({ content, reasoning = [], toolCalls = [] }: AssistantMessage): Block[] {
  const blocks: Block[] = [];
  let chars = 0;
  let calls = 0;
  const goTo = (nextChars: number, nextCalls: number): void => {
    const text = content.slice(chars, nextChars);
    // The API refuses blank text.
    if (text.trim() !== '') blocks.push({ type: 'text', text });
    blocks.push(...toolCalls.slice(calls, nextCalls).map(toolUse));
    chars = nextChars;
    calls = nextCalls;
  };
  for (const { text, signature } of reasoning) {
    const signed = decodeSignature(signature);
    if (!signed) continue;
    goTo(Math.max(chars, signed.chars), Math.max(calls, signed.calls));
    blocks.push(
      signed.kind === 'redacted'
        ? { type: 'redacted_thinking', data: signed.value }
        : { type: 'thinking', thinking: text, signature: signed.value },
    );
  }
  goTo(Math.max(chars, content.length), Math.max(calls, toolCalls.length));
  return blocks.slice(0, 1 + blocks.findLastIndex(({ type }) => !isThinking(type)));
}

/** The API refuses thinking at the end of a turn, as a reply cut within its thinking has it (tailcallhq/forgecode#2107). */
function isThinking(type: Block['type']): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

function toolUse(call: ToolCall): Block {
  return { type: 'tool_use', id: idOf(call.id), name: call.name, input: inputOf(call) };
}

/** The API takes an object, not its text. */
function inputOf({ id, name, arguments: text }: ToolCall): object {
  let input: unknown;
  try {
    input = text === '' ? {} : JSON.parse(text);
  } catch {
    input = undefined;
  }
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  const problem = `the arguments of tool call ${id} (${name}) are not a JSON object, and Anthropic takes no other`;
  throw new AirframeError('invalid_request', problem, {
    remedy: 'correct them in messages, or leave out the call and its result',
  });
}

/** Other backends' ids may hold characters that the API refuses (HKUDS/nanobot#4356, 2026-06). */
function idOf(toolCallId: string): string {
  return toolCallId.replace(/[^A-Za-z0-9_-]/g, '_');
}
