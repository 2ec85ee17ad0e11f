import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the server does with one inference. */
export interface Script {
  /** Pieces of the answer. Default `['Hello', ' world']`. */
  pieces?: readonly string[];
  /** Milliseconds between pieces. */
  pieceDelayMs?: number;
  /** Milliseconds before anything is sent, the head included. */
  headDelayMs?: number;
  /** Answer with this status and an error of this type instead. */
  failure?: { status: number; type: string; message: string };
  /** End the response after the pieces, without the end signal. */
  cut?: boolean;
  /** Close the connection after the pieces, in the middle of the response. */
  drop?: boolean;
}

export interface ScriptedLlamaServer {
  url: string;
  /** Bodies of the inferences, oldest first. */
  inferences: Record<string, unknown>[];
  /** Paths asked for, oldest first. */
  paths: string[];
  /** The Authorization headers, one for each path. */
  keys: (string | undefined)[];
  /** `traceparent` of each request. */
  traces: (string | undefined)[];
  /** Inferences whose client went before they were over. */
  readonly abandoned: number;
  /** Inferences under way, and the most there have been at once. */
  readonly busy: number;
  readonly mostBusy: number;
  /** What `/props` and `/slots` tell; may be changed. `ready` false: still loading. */
  says: { slots: number; busySlots: number; ready: boolean };
  close(): Promise<void>;
}

/**
 * A llama-server without a model: speaks `/completion`, `/v1/chat/completions`, `/apply-template`, `/v1/models`,
 * `/v1/embeddings`, `/props`, `/slots`.
 */
export async function scriptedLlamaServer(...scripts: Script[]): Promise<ScriptedLlamaServer> {
  return scriptedLlamaServerAt(0, ...scripts);
}

/** @param listenPort 0: any that is free */
export async function scriptedLlamaServerAt(
  listenPort: number,
  ...scripts: Script[]
): Promise<ScriptedLlamaServer> {
  const state = { abandoned: 0, busy: 0, mostBusy: 0 };
  const says = { slots: 1, busySlots: 0, ready: true };
  const inferences: Record<string, unknown>[] = [];
  const paths: string[] = [];
  const keys: (string | undefined)[] = [];
  const traces: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    paths.push(path);
    keys.push(request.headers.authorization);
    traces.push(request.headers['traceparent']?.toString());
    if (!says.ready) {
      const error = { code: 503, message: 'Loading model', type: 'unavailable_error' };
      return json(response, 503, { error });
    }
    if (path === '/props') return json(response, 200, { total_slots: says.slots, endpoint_slots: true });
    if (path === '/slots') {
      const slots = Array.from({ length: says.slots }, (_, id) => ({
        id,
        is_processing: id < says.busySlots,
      }));
      return json(response, 200, slots);
    }
    if (path === '/v1/models') return json(response, 200, { data: [{ id: 'scripted' }] });
    const body = await bodyOf(request);
    if (path === '/v1/embeddings') {
      const usage = { prompt_tokens: 3, total_tokens: 3 };
      return json(response, 200, { model: 'scripted', data: [{ index: 0, embedding: [1, 0] }], usage });
    }
    if (path === '/apply-template') return json(response, 200, { prompt: templated(body) });
    const script = scripts[inferences.length] ?? scripts.at(-1) ?? {};
    inferences.push(body);
    let over = false;
    state.mostBusy = Math.max(state.mostBusy, ++state.busy);
    response.on('close', () => {
      state.busy--;
      if (!over) state.abandoned++;
    });
    await play(script, path === '/completion', response);
    over = true;
    if (script.drop) response.destroy();
    else response.end();
  });
  await new Promise<void>(resolve => server.listen(listenPort, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    inferences,
    paths,
    keys,
    traces,
    says,
    get abandoned() {
      return state.abandoned;
    },
    get busy() {
      return state.busy;
    },
    get mostBusy() {
      return state.mostBusy;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

async function play(script: Script, native: boolean, response: ServerResponse): Promise<void> {
  const { pieces = ['Hello', ' world'], pieceDelayMs, headDelayMs, failure } = script;
  if (headDelayMs) await sleep(headDelayMs);
  if (failure) {
    const { status, type, message } = failure;
    return json(response, status, { error: { code: status, type, message } });
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (frame: object) => response.write(`data: ${JSON.stringify(frame)}\n\n`);
  const timings = { cache_n: 3, prompt_n: 7, prompt_ms: 5, predicted_n: pieces.length, predicted_ms: 10 };
  for (const [index, piece] of pieces.entries()) {
    if (response.destroyed) return;
    const tokens_predicted = index + 1;
    if (native) send({ content: piece, stop: false, tokens_predicted, tokens_evaluated: 10 });
    else send({ id: 'c1', model: 'scripted', choices: [{ index: 0, delta: { content: piece } }] });
    if (pieceDelayMs) await sleep(pieceDelayMs);
  }
  if (script.cut || script.drop) return;
  if (native) {
    send({ content: '', stop: true, stop_type: 'eos', model: 'scripted', tokens_evaluated: 10, timings });
    return;
  }
  send({ id: 'c1', model: 'scripted', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  const usage = { prompt_tokens: 10, completion_tokens: pieces.length, total_tokens: 10 + pieces.length };
  send({ id: 'c1', model: 'scripted', choices: [], usage, timings });
  response.write('data: [DONE]\n\n');
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text || '{}');
}

function templated({ messages }: Record<string, unknown>): string {
  const turns = messages as { role: string; content: string }[];
  return `${turns.map(turn => `<${turn.role}>${turn.content}`).join('')}<assistant>`;
}
