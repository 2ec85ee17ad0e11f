import type { AssistantMessage, Message, ToolCall, ToolMessage, UserMessage } from '@x/airframe';
import type { PlainMessage } from '../request.ts';
import type { Offer } from './offer.ts';

/** Puts the offer, and how to answer to it, in front of the chat. */
export function announce(messages: readonly PlainMessage[], offer: Offer): PlainMessage[] {
  const text = announcement(offer);
  const [first, ...rest] = messages;
  if (first?.role !== 'system') return [{ role: 'system', content: text }, ...messages];
  return [{ role: 'system', content: `${first.content}\n\n${text}` }, ...rest];
}

function announcement({ tools, several, words }: Offer): string {
  const specs = tools.map(({ name, description, parameters }) =>
    JSON.stringify({ name, description, parameters }),
  );
  const call = '{"name": <name of the tool>, "arguments": <object by its parameters>}';
  const calls = `{"tool_calls": [${several ? `${call}, ...` : call}]}`;
  return [
    'You have these tools:',
    ...specs,
    'Answer with nothing but one JSON object. To call tools, it is:',
    calls,
    'The next message has their results.',
    ...(words ? ['To answer without a tool, it is:', '{"response": <your answer>}'] : []),
  ].join('\n');
}

/**
 * A chat as it reads without a format for tools: calls and their results are written out as JSON.
 * @param asAnswers whether what the model has said before is written as it has to answer now
 */
export function plainMessages(messages: readonly Message[], asAnswers: boolean): PlainMessage[] {
  const plain: PlainMessage[] = [];
  const made: ToolCall[] = [];
  let results: ToolMessage[] = [];
  const tellResults = (more: UserMessage['content'] = '') => {
    if (results.length > 0) plain.push(userMessage(writtenResults(results, made), more));
    results = [];
  };
  for (const message of messages) {
    if (message.role === 'tool') results.push(message);
    else if (message.role === 'user' && results.length > 0) tellResults(message.content);
    else {
      tellResults();
      if (message.role === 'assistant') made.push(...(message.toolCalls ?? []));
      plain.push(message.role === 'assistant' ? written(message, asAnswers) : message);
    }
  }
  tellResults();
  return plain;
}

function written({ toolCalls = [], ...message }: AssistantMessage, asAnswer: boolean): PlainMessage {
  if (toolCalls.length === 0 && !asAnswer) return message;
  const said = asAnswer ? `{"response": ${JSON.stringify(message.content)}}` : message.content;
  const parts = toolCalls.length > 0 ? [writtenCalls(toolCalls)] : [];
  if (message.content !== '') parts.unshift(said);
  return { ...message, content: parts.join('\n') };
}

function writtenCalls(calls: readonly ToolCall[]): string {
  const all = calls.map(
    ({ name, arguments: given }) => `{"name": ${JSON.stringify(name)}, "arguments": ${asJson(given)}}`,
  );
  return `{"tool_calls": [${all.join(', ')}]}`;
}

/** Arguments that have been cut off are no JSON. */
function asJson(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

/** In the order of the calls: nothing else tells two calls of one tool apart. */
function writtenResults(results: readonly ToolMessage[], made: readonly ToolCall[]): string {
  const place = ({ toolCallId }: ToolMessage) => made.findLastIndex(({ id }) => id === toolCallId);
  const all = results
    .toSorted((a, b) => place(a) - place(b))
    .map(result => {
      const name = JSON.stringify(made[place(result)]?.name ?? result.toolCallId);
      return `{"name": ${name}, "${result.isError ? 'error' : 'result'}": ${JSON.stringify(result.content)}}`;
    });
  return `{"tool_results": [${all.join(', ')}]}`;
}

/** One message: many templates want the roles to take turns. */
function userMessage(results: string, more: UserMessage['content']): UserMessage {
  if (typeof more !== 'string') return { role: 'user', content: [{ type: 'text', text: results }, ...more] };
  return { role: 'user', content: more === '' ? results : `${results}\n${more}` };
}
