import type { ToolCall } from '../../events.ts';
import { isScripted, type Observation } from '../observe.ts';
import { TEXT } from '../replies.ts';
import type { Invariant } from './invariant.ts';
import { doneOf, endsWell, shown, textOf } from './seen.ts';

/** What the model wrote. */
export const OUTPUT: readonly Invariant[] = [
  { id: 'text-unchanged', check: textProblem },
  { id: 'tool-calls-add-up', check: toolCallProblem },
  { id: 'message-when-whole', check: messageProblem },
];

function textProblem(seen: Observation): string | undefined {
  if (!isScripted(seen)) return undefined;
  const { expect, backend = {} } = seen.case;
  const text = textOf(seen);
  const pieces = (backend.reply ?? TEXT).text;
  const scripted = pieces.join('');
  const kept = pieces.slice(0, expect.keepsEvents ?? 0).join('');
  if (endsWell(seen) && text !== scripted) return `the text is ${shown(text)} instead of ${shown(scripted)}`;
  if (expect.text === 'whole' && text !== scripted)
    return `of ${shown(scripted)} only ${shown(text)} came out`;
  if (!scripted.startsWith(text)) return `the text ${shown(text)} is no part of ${shown(scripted)}`;
  return text.startsWith(kept) ? undefined : `${shown(kept)} was lost`;
}

function toolCallProblem(seen: Observation): string | undefined {
  const calls: ToolCall[] = [];
  const pieces = new Map<number, string>();
  for (const event of seen.events) {
    if (event.type === 'tool_call_delta')
      pieces.set(event.index, (pieces.get(event.index) ?? '') + event.argumentsDelta);
    if (event.type === 'tool_call') {
      if (event.index !== calls.length) return `the call at place ${calls.length} has index ${event.index}`;
      calls.push(event.call);
    }
  }
  const scripted = isScripted(seen) ? (seen.case.backend?.reply ?? TEXT).toolCalls : undefined;
  if (endsWell(seen) && scripted && calls.length !== scripted.length) {
    return `${calls.length} tool calls instead of ${scripted.length}`;
  }
  if (new Set(calls.map(({ id }) => id)).size < calls.length) return 'two tool calls share an id';
  for (const [index, call] of calls.entries()) {
    const problem = callProblem(call, pieces.get(index), scripted?.[index]);
    if (problem) return problem;
  }
  return undefined;
}

function callProblem(
  call: ToolCall,
  pieces: string | undefined,
  scripted: { name: string; arguments: readonly string[] } | undefined,
): string | undefined {
  if (!call.id || !call.name) return 'a tool call lacks its id or its name';
  if ((call.parseError === undefined) !== 'input' in call)
    return `call ${call.id} has both or none of input and parseError`;
  if (pieces !== undefined && pieces !== '' && pieces !== call.arguments)
    return `the deltas of ${call.id} join to ${shown(pieces)} instead of ${shown(call.arguments)}`;
  if (!scripted) return undefined;
  const asked = JSON.stringify(JSON.parse(scripted.arguments.join('')));
  if (call.name !== scripted.name) return `the call of ${scripted.name} comes as ${call.name}`;
  return JSON.stringify(call.input) === asked
    ? undefined
    : `the input of ${call.name} is ${shown(call.input)} instead of ${asked}`;
}

function messageProblem(seen: Observation): string | undefined {
  const messages = seen.events.flatMap(event => (event.type === 'message' ? [event.message] : []));
  const done = doneOf(seen);
  if (!done) return undefined;
  const wanted = endsWell(seen) ? 1 : 0;
  if (messages.length !== wanted) return `${messages.length} message events instead of ${wanted}`;
  const [message] = messages;
  if (!message) return undefined;
  if (message.content !== textOf(seen))
    return `the message says ${shown(message.content)}, the events ${shown(textOf(seen))}`;
  const calls = seen.events.flatMap(event => (event.type === 'tool_call' ? [event.call.id] : []));
  const ids = (message.toolCalls ?? []).map(({ id }) => id);
  return JSON.stringify(ids) === JSON.stringify(calls)
    ? undefined
    : 'the message has other tool calls than the events';
}
