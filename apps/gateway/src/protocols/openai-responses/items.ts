import type { ReasoningPart, ToolCall } from '@x/airframe';
import type { AnswerFacts } from '../protocol.ts';
import type { WireItem, WireOutputPart, WireStatus } from './wire.ts';

/** How thinking is shown: as it is, or as the summary that the client asked for. */
export type ThinkingForm = 'reasoning_text' | 'summary_text';
/** What an item may hold that comes in deltas. */
export type PartForm = 'output_text' | ThinkingForm;

const PREFIXES: Readonly<Record<WireItem['type'], string>> = {
  message: 'msg',
  reasoning: 'rs',
  function_call: 'fc',
};

/** @param index its place in the output */
export function itemId(type: WireItem['type'], { requestId }: AnswerFacts, index: number): string {
  return `${PREFIXES[type]}_${requestId}_${index}`;
}

export function partOf(form: PartForm, text: string): WireOutputPart {
  return form === 'output_text' ? { type: form, text, annotations: [], logprobs: [] } : { type: form, text };
}

/** @param text undefined: its part is yet to come */
export function messageItem(id: string, text: string | undefined, status: WireStatus): WireItem {
  const content = text === undefined ? [] : [partOf('output_text', text)];
  return { id, type: 'message', role: 'assistant', status, content };
}

export function reasoningItem(
  id: string,
  { text, signature }: Partial<ReasoningPart>,
  form: ThinkingForm,
): WireItem {
  const parts = text ? [partOf(form, text)] : [];
  return {
    id,
    type: 'reasoning',
    summary: form === 'summary_text' ? parts : [],
    ...(form === 'reasoning_text' && { content: parts }),
    ...(signature !== undefined && { encrypted_content: signature }),
  };
}

export function callItem(
  id: string,
  { id: call_id, name, arguments: text }: Pick<ToolCall, 'id' | 'name' | 'arguments'>,
  status: WireStatus,
): WireItem {
  return { id, type: 'function_call', call_id, name, arguments: text, status };
}

/** Arguments may be cut off, or not as the tool wants them; they are passed on as the model wrote them. */
export function callStatus({ parseError }: ToolCall): WireStatus {
  return parseError === undefined ? 'completed' : 'incomplete';
}
