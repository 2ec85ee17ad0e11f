import { eventsOf } from '../../__fixtures__/replies.ts';

export interface Block {
  type: string;
  /** Joined: text, thinking, or the JSON of the input. */
  text: string;
  id?: string;
  name?: string;
  signature?: string;
}

export interface Read {
  blocks: Block[];
  stopReason?: string;
  usage?: Record<string, unknown>;
  error?: Record<string, unknown>;
}

const FIELD_OF_DELTA: Readonly<Record<string, [block: string, field: string]>> = {
  text_delta: ['text', 'text'],
  thinking_delta: ['thinking', 'thinking'],
  input_json_delta: ['tool_use', 'partial_json'],
};

/**
 * Reads a stream as strictly as the API's documentation describes it: one block at a time, indexes in order, and either
 * `message_stop` or an error at the end.
 * @throws Error that names the first event out of place
 */
export function read(stream: string): Read {
  const result: Read = { blocks: [] };
  let state: 'new' | 'between' | 'in block' | 'told' | 'over' = 'new';
  const expect = (name: string, ...states: string[]) => {
    if (!states.includes(state)) throw new Error(`${name} comes while the stream is ${state}`);
  };
  for (const { name, data } of eventsOf(stream)) {
    if (data['type'] !== name) throw new Error(`${name} has the type ${data['type']}`);
    if (state === 'over') throw new Error(`${name} comes after the end`);
    const block = result.blocks.at(-1);
    switch (name) {
      case 'ping':
        break;
      case 'message_start':
        expect(name, 'new');
        state = 'between';
        break;
      case 'content_block_start': {
        expect(name, 'between');
        if (data['index'] !== result.blocks.length) throw new Error(`index ${data['index']} is out of order`);
        const { type, id, name: tool, data: signature } = data['content_block'] as Record<string, string>;
        result.blocks.push({
          type: `${type}`,
          text: '',
          ...(id && { id }),
          ...(tool && { name: tool }),
          ...(signature && { signature }),
        });
        state = 'in block';
        break;
      }
      case 'content_block_delta': {
        expect(name, 'in block');
        if (!block || data['index'] !== result.blocks.length - 1) throw new Error('a delta of another block');
        addDelta(block, data['delta'] as Record<string, string>);
        break;
      }
      case 'content_block_stop':
        expect(name, 'in block');
        if (data['index'] !== result.blocks.length - 1) throw new Error('another block ends');
        state = 'between';
        break;
      case 'message_delta':
        expect(name, 'between');
        result.stopReason = (data['delta'] as { stop_reason: string }).stop_reason;
        result.usage = data['usage'] as Record<string, unknown>;
        state = 'told';
        break;
      case 'message_stop':
        expect(name, 'told');
        state = 'over';
        break;
      case 'error':
        result.error = data;
        state = 'over';
        break;
      default:
        throw new Error(`${name} is no event of the API`);
    }
  }
  if (state !== 'over') throw new Error('the stream has no end');
  return result;
}

function addDelta(block: Block, delta: Record<string, string>): void {
  if (delta['type'] === 'signature_delta' && block.type === 'thinking') {
    block.signature = `${delta['signature']}`;
    return;
  }
  const [type, field = ''] = FIELD_OF_DELTA[`${delta['type']}`] ?? [];
  if (type !== block.type) throw new Error(`${delta['type']} in a block of ${block.type}`);
  block.text += delta[field];
}
