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

const FIRST_MS = 120;
/** Between two pieces. */
const PACE_MS = 15;
/** US dollars per 1,000 tokens, of models that tell no price. */
const PRICE = { prompt: 0.0003, completion: 0.0012 };

let calls = 0;

/** Streams a scripted answer as Chat Completions do, and notes the call. */
export async function streamChat(
  request: FastifyRequest,
  reply: FastifyReply,
  traffic: Traffic,
): Promise<void> {
  const { model, messages, tools = [] } = request.body as ChatBody;
  if (model === 'refuses') {
    const message = 'key playground has used its 5 requests a minute';
    await reply.code(429).send({ error: { message, type: 'rate_limit', code: 'rate_limit' } });
    return;
  }
  const entry = HELLO.models.find(({ id }) => id === model);
  const provider = entry?.targets[0]?.provider ?? 'openai';
  const began = performance.now();
  const since = () => Math.round(performance.now() - began);
  const record: RequestRecord = {
    ...{
      id: `play-${++calls}`,
      at: Date.now(),
      key: 'playground',
      agent: 'console',
      protocol: 'openai-chat',
    },
    ...{ model, stream: true, state: 'running', provider },
    attempts: [{ provider, startMs: 0, durationMs: 0, outcome: 'ok' }],
  };
  traffic.put(record);

  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'text/event-stream' });
  const frame = { id: `chatcmpl-${record.id}`, model: entry?.targets[0]?.model ?? model };
  const send = (data: object) => raw.write(`data: ${JSON.stringify({ ...frame, ...data })}\n\n`);
  send({ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] });
  await sleep(FIRST_MS);
  const firstTokenMs = since();
  const pieces = answerOf(model, tools.length > 0);
  let sent = 0;
  for (const piece of pieces) {
    if (raw.destroyed || 'error' in piece) break;
    send({ choices: [{ index: 0, delta: deltaOf(piece) }] });
    sent++;
    await sleep(PACE_MS);
  }

  const prompt = messages.map(({ content }) => content).join('\n');
  const promptTokens = Math.ceil(prompt.length / 4);
  const price = entry?.price ?? PRICE;
  const cost = (promptTokens * price.prompt + sent * price.completion) / 1000;
  const failure = raw.destroyed ? undefined : pieces.find(piece => 'error' in piece);
  traffic.put({
    ...record,
    ...{ state: raw.destroyed ? 'stopped' : failure ? 'failed' : 'succeeded', status: 200 },
    ...(failure ? { error: { category: 'connection', message: failure.error.message } } : {}),
    attempts: [{ provider, startMs: 0, durationMs: since(), outcome: failure ? 'connection' : 'ok' }],
    usage: { promptTokens, completionTokens: sent, source: 'reported' },
    ...{ costUsd: cost, firstTokenMs, latencyMs: since() },
    content: { prompt, answer: pieces.map(piece => ('text' in piece ? piece.text : '')).join('') },
  });
  if (failure) raw.end(`data: ${JSON.stringify(failure)}\n\n`);
  if (failure || raw.destroyed) return;
  send({ choices: [{ index: 0, delta: {}, finish_reason: tools.length > 0 ? 'tool_calls' : 'stop' }] });
  send({ choices: [], usage: { prompt_tokens: promptTokens, completion_tokens: sent, cost } });
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
