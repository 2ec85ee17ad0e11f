import type { ServerResponse } from 'node:http';

/** An event of the wire. */
export interface Sent {
  type: string;
  [field: string]: unknown;
}

/** Named events, as the API sends them: numbered, and without [DONE]. */
export function events(
  payloads: Sent[],
  options: { end?: boolean } = {},
): (response: ServerResponse) => void {
  return response => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'req_1' });
    payloads.forEach((payload, sequence_number) => {
      response.write(`event: ${payload.type}\ndata: ${JSON.stringify({ ...payload, sequence_number })}\n\n`);
    });
    if (options.end !== false) response.end();
  };
}

export const usage = { input_tokens: 9, output_tokens: 2, total_tokens: 11 };

const response = (status: string, more: object) => ({ id: 'resp_1', model: 'm', status, ...more });

export const created: Sent = {
  type: 'response.created',
  response: response('in_progress', { service_tier: 'auto', usage: null }),
};

export function completed(more: object = {}): Sent {
  return { type: 'response.completed', response: response('completed', { usage, ...more }) };
}

export function incomplete(reason: string): Sent {
  const incomplete_details = { reason };
  return { type: 'response.incomplete', response: response('incomplete', { incomplete_details, usage }) };
}

export function failed(code: string, message = 'why'): Sent {
  return { type: 'response.failed', response: response('failed', { error: { code, message }, usage }) };
}

export function added(output_index: number, item: object): Sent {
  return { type: 'response.output_item.added', output_index, item };
}

export function itemDone(output_index: number, item: object): Sent {
  return { type: 'response.output_item.done', output_index, item };
}

export function text(output_index: number, ...pieces: string[]): Sent[] {
  const item_id = `msg_${output_index}`;
  const item = (content: object[]) => ({ id: item_id, type: 'message', role: 'assistant', content });
  const deltas = pieces.map(delta => ({
    type: 'response.output_text.delta',
    item_id,
    output_index,
    content_index: 0,
    delta,
  }));
  const whole = [{ type: 'output_text', text: pieces.join('') }];
  return [added(output_index, item([])), ...deltas, itemDone(output_index, item(whole))];
}

/** A call: its start, these pieces of arguments, its end. */
export function call(output_index: number, name: string, ...pieces: string[]): Sent[] {
  const item_id = `fc_${output_index}`;
  const item = (args: string) => ({
    id: item_id,
    type: 'function_call',
    call_id: `call_${output_index}`,
    name,
    arguments: args,
  });
  const deltas = pieces.map(delta => ({
    type: 'response.function_call_arguments.delta',
    item_id,
    output_index,
    delta,
  }));
  return [added(output_index, item('')), ...deltas, itemDone(output_index, item(pieces.join('')))];
}
