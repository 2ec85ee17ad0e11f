import type { AttemptRecord, RequestRecord } from '@x/console/contract';
import type { Chance } from './chance.ts';
import { HELLO } from './setup.ts';

const AGENTS = ['chat', 'planner', 'summary', 'search'] as const;
const PROTOCOLS = ['openai-chat', 'openai-chat', 'anthropic-messages'] as const;
const FAILURES = ['timeout', 'rate_limit', 'overloaded', 'connection', 'context_length'] as const;
/** Until a provider that another one stands in for has failed. */
const FAILED_MS = 420;

/** @param nodes those that are up */
export function begunCall(id: string, at: number, nodes: readonly string[], chance: Chance): RequestRecord {
  const model = chance.of(HELLO.models.slice(0, 3));
  const [first, second] = model.targets;
  const isOut = first?.provider === 'local' && nodes.length === 0;
  const fellBack = second !== undefined && (isOut || chance.next() < 0.06);
  const { provider, model: answeredBy = model.id } = (fellBack ? second : first) ?? { provider: 'openai' };
  const node = provider === 'local' ? { node: chance.of(nodes) } : {};
  const queuedMs = provider === 'local' && chance.next() < 0.3 ? chance.below(200) : 0;
  const failed: AttemptRecord[] = fellBack
    ? [
        {
          provider: first?.provider ?? '',
          startMs: 0,
          durationMs: FAILED_MS,
          outcome: 'overloaded',
          status: 503,
        },
      ]
    : [];
  const startMs = (fellBack ? FAILED_MS : 0) + queuedMs;
  const answering = { provider, ...node, startMs, durationMs: 0, outcome: 'ok' };
  return {
    ...{ id, at, key: chance.of(HELLO.keys.slice(0, 3)), agent: chance.of(AGENTS) },
    ...{ protocol: chance.of(PROTOCOLS), model: model.id, stream: true, state: 'running' },
    ...{ provider, answeredBy, queuedMs, ...node },
    attempts: [...failed, answering],
  };
}

/** Milliseconds that a call will take. */
export function lengthOf({ attempts }: RequestRecord, chance: Chance): number {
  return (attempts.at(-1)?.startMs ?? 0) + 400 + Math.round(chance.next() ** 2 * 2600);
}

export function endedCall(record: RequestRecord, now: number, chance: Chance): RequestRecord {
  if (chance.next() < 0.07) return failedCall(record, now, chance);
  const latencyMs = now - record.at;
  const { attempts } = record;
  const promptTokens = 200 + chance.below(900);
  const completionTokens = 40 + Math.floor(latencyMs / 14);
  const usage = { promptTokens, completionTokens, cachedTokens: Math.floor(promptTokens * 0.6) };
  const isFree = record.provider === 'local';
  const isCached = chance.next() < 0.08;
  return {
    ...record,
    ...{ state: 'succeeded', status: 200, finishReason: 'stop', latencyMs },
    attempts: withLast(attempts, { durationMs: latencyMs - (attempts.at(-1)?.startMs ?? 0), status: 200 }),
    usage: { ...usage, source: 'reported' },
    ...{ costUsd: isFree ? 0 : (promptTokens * 0.003 + completionTokens * 0.015) / 1000, priced: true },
    firstTokenMs: (attempts.at(-1)?.startMs ?? 0) + 90 + Math.floor(latencyMs / 9),
    ...(isCached ? { cache: 'hit', attempts: [], latencyMs: 2, firstTokenMs: 1, costUsd: 0 } : {}),
    content: { prompt: 'What is affinity?', answer: 'A call goes to the node that holds its prompt.' },
  };
}

function failedCall(record: RequestRecord, now: number, chance: Chance): RequestRecord {
  const outcome = chance.of(FAILURES);
  const latencyMs = now - record.at;
  const message = `${record.provider} ended the call with ${outcome}`;
  const durationMs = latencyMs - (record.attempts.at(-1)?.startMs ?? 0);
  return {
    ...record,
    ...{ state: 'failed', status: 502, error: { category: outcome, message }, latencyMs, costUsd: 0 },
    attempts: withLast(record.attempts, { durationMs, outcome, message }),
  };
}

function withLast(attempts: readonly AttemptRecord[], changes: Partial<AttemptRecord>): AttemptRecord[] {
  return attempts.map((attempt, at) => (at === attempts.length - 1 ? { ...attempt, ...changes } : attempt));
}
