import { eventsOf } from '../../__fixtures__/replies.ts';
import type { WireItem, WireResponse } from '../wire.ts';

type Data = Record<string, unknown>;

export interface Read {
  /** Of the last event. */
  response: WireResponse;
  error?: Data;
}

/** Events of deltas, the kind of part they belong to, and the event that ends them. */
const DELTAS: Readonly<Record<string, { part: string; done: string; field: string }>> = {
  'response.output_text.delta': { part: 'output_text', done: 'response.output_text.done', field: 'text' },
  'response.reasoning_text.delta': {
    part: 'reasoning_text',
    done: 'response.reasoning_text.done',
    field: 'text',
  },
  'response.reasoning_summary_text.delta': {
    part: 'summary_text',
    done: 'response.reasoning_summary_text.done',
    field: 'text',
  },
  'response.function_call_arguments.delta': {
    part: 'arguments',
    done: 'response.function_call_arguments.done',
    field: 'arguments',
  },
};
const ENDS = new Map(Object.values(DELTAS).map(one => [one.done, one]));

interface Item {
  id: string;
  /** Kind of the part that is open. */
  part?: string | undefined;
  text: string;
  /** Its text has been told whole. */
  isTold: boolean;
  done?: WireItem;
}

/**
 * Reads a stream as strictly as the API's documentation describes it: numbers without a gap, items announced in order,
 * each part begun, told in deltas and told whole, each item done, and one terminal event that holds them all.
 * @throws Error that names the first event out of place
 */
export function read(stream: string): Read {
  const items: Item[] = [];
  let error: Data | undefined;
  let terminal: WireResponse | undefined;
  eventsOf(stream).forEach(({ name, data }, index) => {
    if (data['type'] !== name) throw new Error(`${name} has the type ${data['type']}`);
    if (data['sequence_number'] !== index)
      throw new Error(`${name} has the number ${data['sequence_number']}`);
    if (terminal) throw new Error(`${name} comes after the end`);
    if (error && name !== 'response.failed') throw new Error(`${name} comes after an error`);
    const isStart = ['response.created', 'response.in_progress'].indexOf(name);
    if (isStart >= 0 ? isStart !== index : index < 2 && name !== 'error')
      throw new Error(`${name} is no ${index}`);
    if (isStart >= 0) return;
    if (name === 'error') error = data;
    else if (['response.completed', 'response.incomplete', 'response.failed'].includes(name)) {
      terminal = data['response'] as WireResponse;
      if (name !== `response.${terminal.status}`) throw new Error(`${name} is ${terminal.status}`);
    } else readItem(items, name, data);
  });
  if (!terminal) throw new Error('the stream has no end');
  const done = items.map(item => item.done);
  if (terminal.status !== 'failed' && done.includes(undefined)) throw new Error('an item is not done');
  const finished = done.filter(item => item !== undefined);
  if (JSON.stringify(terminal.output) !== JSON.stringify(finished)) throw new Error('the output is another');
  return { response: terminal, ...(error && { error }) };
}

function readItem(items: Item[], name: string, data: Data): void {
  const index = Number(data['output_index']);
  if (name === 'response.output_item.added') {
    if (index !== items.length) throw new Error(`item ${index} is out of order`);
    const { id, type } = data['item'] as WireItem;
    items.push({ id, text: '', isTold: false, part: type === 'function_call' ? 'arguments' : undefined });
    return;
  }
  const item = items[index];
  if (!item || item.done) throw new Error(`${name} is of no open item`);
  if (name === 'response.output_item.done') {
    const done = data['item'] as WireItem;
    if (done.id !== item.id) throw new Error(`${item.id} ends as ${done.id}`);
    if (item.part && !item.isTold) throw new Error(`${item.id} ends with a part open`);
    if (item.part && !JSON.stringify(done).includes(JSON.stringify(item.text)))
      throw new Error(`${item.id} lost its text`);
    item.done = done;
    return;
  }
  if (data['item_id'] !== item.id) throw new Error(`${name} is of ${data['item_id']}, not of ${item.id}`);
  const delta = DELTAS[name];
  const end = ENDS.get(name);
  if (delta) {
    if (item.part !== delta.part || item.isTold) throw new Error(`${name} comes without its part`);
    item.text += data['delta'];
  } else if (end) {
    if (item.part !== end.part) throw new Error(`${name} comes without its part`);
    if (data[end.field] !== item.text) throw new Error(`${name} tells another text`);
    item.isTold = true;
  } else if (name.endsWith('part.added')) {
    item.part = (data['part'] as { type: string }).type;
  } else if (name.endsWith('part.done')) {
    if ((data['part'] as { text: string }).text !== item.text) throw new Error(`${name} tells another text`);
    if (!item.isTold) throw new Error(`${name} comes before its text is told`);
  } else throw new Error(`${name} is no event of the API`);
}
