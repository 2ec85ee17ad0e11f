interface Delta {
  content?: string;
  reasoning_content?: string;
  tool_calls?: {
    index: number;
    id?: string;
    type?: string;
    function: { name?: string; arguments: string };
  }[];
}

export interface Chunk {
  choices?: { index: number; delta: Delta; finish_reason: string | null }[];
  usage?: Record<string, unknown> | null;
  error?: Record<string, unknown>;
}

export interface Read {
  text: string;
  reasoning: string;
  calls: { id: string; name: string; arguments: string }[];
  finishReason?: string | null;
  usage?: Record<string, unknown>;
  error?: Record<string, unknown>;
}

/** The chunks of a stream, `[DONE]` left out. */
export function chunksOf(stream: string): Chunk[] {
  return stream
    .trimEnd()
    .split('\n\n')
    .map(event => event.replace(/^data: /, ''))
    .filter(data => data !== '[DONE]')
    .map(data => JSON.parse(data) as Chunk);
}

/**
 * Reads a stream as its clients do: a call's id and name stand in its first chunk alone, the usage in a chunk without
 * choices behind the end, and `[DONE]` comes last and only after a good end.
 * @throws Error that names the first chunk out of place
 */
export function read(stream: string): Read {
  const known: Read = { text: '', reasoning: '', calls: [] };
  for (const chunk of chunksOf(stream)) {
    if (known.error || known.usage) throw new Error('a chunk comes after the end');
    if (chunk.error) known.error = chunk.error;
    if (chunk.usage) known.usage = chunk.usage;
    const [choice] = chunk.choices ?? [];
    if (!choice) continue;
    if (known.finishReason) throw new Error('a delta comes after the finish reason');
    readDelta(known, choice.delta);
    if (choice.finish_reason) known.finishReason = choice.finish_reason;
  }
  const isDone = stream.endsWith('data: [DONE]\n\n');
  if (isDone === Boolean(known.error)) throw new Error('[DONE] is there, or not, where it should not be so');
  if (isDone && !known.finishReason) throw new Error('the stream has no finish reason');
  return known;
}

function readDelta(known: Read, { content = '', reasoning_content = '', tool_calls = [] }: Delta): void {
  known.text += content;
  known.reasoning += reasoning_content;
  for (const { index, id, type, function: piece } of tool_calls) {
    const call = known.calls[index];
    if (call) {
      if (id !== undefined || piece.name !== undefined) throw new Error(`call ${index} begins twice`);
      call.arguments += piece.arguments;
    } else {
      if (!id || !piece.name || type !== 'function')
        throw new Error(`call ${index} begins without its names`);
      known.calls[index] = { id, name: piece.name, arguments: piece.arguments };
    }
  }
}
