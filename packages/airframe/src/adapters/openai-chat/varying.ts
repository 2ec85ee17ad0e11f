import type { Varying } from '../../assemble/alike-events.ts';
import type { CompletionTally } from '../../assemble/completion-tally.ts';
import type { Reply } from '../../assemble/reply.ts';
import type { WireChunk, WireDelta, WireToolCall } from './wire.ts';

/** The string of a chunk that brings a piece of text, thinking or arguments and nothing else. */
export function varyingOf(chunk: WireChunk, reply: Reply, tally: CompletionTally): Varying | undefined {
  const { choices, usage, x_groq } = chunk;
  const [choice] = choices ?? [];
  const { delta } = choice ?? {};
  if (!choice || !delta || usage || x_groq || choices?.length !== 1) return undefined;
  if (choice.index || choice.finish_reason || choice.text || choice.message) return undefined;
  const key = onlyKeyOf(delta);
  const take = key === undefined ? undefined : takeOf(key, delta, reply);
  if (!take) return undefined;
  const use = (text: string) => {
    tally.choice = 0;
    take.use(text);
  };
  return { key: take.key, use, padding: 'obfuscation' };
}

/** The one field beside the role that says something; undefined: there is none, or several. */
function onlyKeyOf(delta: WireDelta): string | undefined {
  let only: string | undefined;
  for (const key in delta) {
    const value = delta[key as DeltaKey];
    if (key === 'role' || value === null || (value as unknown) === '') continue;
    if (only !== undefined) return undefined;
    only = key;
  }
  return only;
}

type DeltaKey = keyof WireDelta;

function takeOf(key: string, delta: WireDelta, reply: Reply): Varying | undefined {
  const { tool_calls: calls } = delta;
  if (key === 'tool_calls') return calls?.length === 1 ? argumentsOf(calls[0], reply) : undefined;
  if (typeof delta[key as DeltaKey] !== 'string') return undefined;
  if (key === 'content') return { key, use: text => reply.text(text) };
  if (key === 'reasoning_content' || key === 'reasoning') {
    return { key, use: text => void (text && reply.reasoning(text)) };
  }
  return undefined;
}

/** Of a call that has begun: its id and name stand in its first chunk. */
function argumentsOf(call: WireToolCall | undefined, reply: Reply): Varying | undefined {
  const { index, id, function: called, extra_content } = call ?? {};
  if (typeof index !== 'number' || id || called?.name || extra_content) return undefined;
  if (typeof called?.arguments !== 'string') return undefined;
  return { key: 'arguments', use: text => reply.toolCall({ index, arguments: text }) };
}
