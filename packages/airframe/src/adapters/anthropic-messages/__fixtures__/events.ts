import type { ServerResponse } from 'node:http';

/** An event of the wire. */
export interface Sent {
  type: string;
  [field: string]: unknown;
}

/** Named events, as the API sends them. */
export function events(
  payloads: Sent[],
  options: { end?: boolean } = {},
): (response: ServerResponse) => void {
  return response => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_1' });
    for (const payload of payloads) {
      response.write(`event: ${payload.type}\ndata: ${JSON.stringify(payload)}\n\n`);
    }
    if (options.end !== false) response.end();
  };
}

export function start(usage: object = { input_tokens: 12, output_tokens: 1 }): Sent {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage };
  return { type: 'message_start', message };
}

/** A block: its start, these deltas, its stop. */
export function block(index: number, content_block: object, ...deltas: object[]): Sent[] {
  return [
    { type: 'content_block_start', index, content_block },
    ...deltas.map(delta => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
}

export function text(index: number, ...pieces: string[]): Sent[] {
  return block(
    index,
    { type: 'text', text: '' },
    ...pieces.map(piece => ({ type: 'text_delta', text: piece })),
  );
}

export function toolUse(index: number, id: string, ...pieces: string[]): Sent[] {
  const deltas = pieces.map(partial_json => ({ type: 'input_json_delta', partial_json }));
  return block(index, { type: 'tool_use', id, name: 'wx', input: {} }, ...deltas);
}

export function thinking(index: number, signature: string, ...pieces: string[]): Sent[] {
  const deltas = pieces.map(piece => ({ type: 'thinking_delta', thinking: piece }));
  const signed = { type: 'signature_delta', signature };
  return block(index, { type: 'thinking', thinking: '', signature: '' }, ...deltas, signed);
}

export function delta(stop_reason: string | null, usage: object = { output_tokens: 31 }): Sent {
  return { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage };
}

export const stop: Sent = { type: 'message_stop' };
