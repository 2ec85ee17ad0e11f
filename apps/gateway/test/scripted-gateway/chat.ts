import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestRecord } from '@x/console/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerOf, type Piece } from './answers.ts';
import { HELLO } from './setup.ts';
import type { Traffic } from './traffic.ts';

interface ChatBody {
  model: string;
  messages: { role: string; content: string }[];
  tools?: unknown[];
}

/** Between two pieces. */
const PACE_MS = 15;

let calls = 0;

/** Streams a scripted answer as Chat Completions do, and notes the call. */
export async function streamChat(
  request: FastifyRequest,
  reply: FastifyReply,
  traffic: Traffic,
): Promise<void> {
  const { model, messages, tools } = request.body as ChatBody;
  if (model === 'refuses') {
    const error = {
      message: 'key playground has used its 5 requests a minute',
      type: 'rate_limit',
      code: 'rate_limit',
    };
    await reply.code(429).send({ error });
    return;
  }
  const target = HELLO.models.find(({ id }) => id === model)?.targets[0];
  const id = `play-${++calls}`;
  const began = performance.now();
  const since = () => Math.round(performance.now() - began);
  const provider = target?.provider ?? 'openai';
  let record: RequestRecord = {
    ...{
      id,
      at: Date.now(),
      key: 'playground',
      agent: 'console',
      protocol: 'openai-chat',
      model,
      stream: true,
    },
    ...{ state: 'running', provider, attempts: [{ provider, startMs: 0, durationMs: 0, outcome: 'ok' }] },
  };
  traffic.put(record);
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'text/event-stream' });
  const frame = { id: `chatcmpl-${id}`, object: 'chat.completion.chunk', model: target?.model ?? model };
  const send = (data: object) => raw.write(`data: ${JSON.stringify({ ...frame, ...data })}\n\n`);
  send({ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] });
  await sleep(120);
  const pieces = answerOf(model, (tools?.length ?? 0) > 0);
  let sent = 0;
  let firstTokenMs: number | undefined;
  let error: { message: string; type: string } | undefined;
  for (const piece of pieces) {
    if (raw.destroyed) break;
    if ('error' in piece) {
      error = piece.error;
      raw.end(`data: ${JSON.stringify(piece)}\n\n`);
      break;
    }
    firstTokenMs ??= since();
    send({ choices: [{ index: 0, delta: deltaOf(piece) }] });
    sent++;
    await sleep(PACE_MS);
  }
  const prompt = messages.map(({ content }) => content).join('\n');
  const usage = { promptTokens: Math.ceil(prompt.length / 4), completionTokens: sent, source: 'reported' };
  const price = HELLO.models.find(one => one.id === model)?.price ?? { prompt: 0.0003, completion: 0.0012 };
  const costUsd = (usage.promptTokens * price.prompt + sent * price.completion) / 1000;
  const attempt = { provider, startMs: 0, durationMs: since(), outcome: error ? 'connection' : 'ok' };
  record = {
    ...record,
    ...{ usage, costUsd, latencyMs: since(), attempts: [attempt] },
    ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
    ...{ state: error ? 'failed' : raw.destroyed ? 'stopped' : 'succeeded', status: 200 },
    ...(error ? { error: { category: 'connection', message: error.message } } : {}),
    content: { prompt, answer: pieces.map(piece => ('text' in piece ? piece.text : '')).join('') },
  };
  traffic.put(record);
  if (error || raw.destroyed) return;
  send({ choices: [{ index: 0, delta: {}, finish_reason: tools?.length ? 'tool_calls' : 'stop' }] });
  const tokens = { prompt_tokens: usage.promptTokens, completion_tokens: sent, cost: costUsd };
  send({ choices: [], usage: tokens });
  raw.end('data: [DONE]\n\n');
}

function deltaOf(piece: Exclude<Piece, { error: unknown }>): object {
  if ('text' in piece) return { content: piece.text };
  if ('reasoning' in piece) return { reasoning_content: piece.reasoning };
  const { id, name, arguments: json } = piece.call;
  const called = { ...(name === undefined ? {} : { name }), arguments: json };
  return {
    tool_calls: [{ index: 0, ...(id === undefined ? {} : { id, type: 'function' }), function: called }],
  };
}
