import type { RequestRecord } from '@x/console/contract';
import { type Logger as Pino, pino } from 'pino';
import type { RecordSink } from '../calls/recorder.ts';

/** Where secrets might stand, should somebody log what holds them. */
const REDACTED = [
  'apiKey',
  '*.apiKey',
  'authorization',
  '*.authorization',
  'headers.authorization',
  '*.headers.authorization',
  'headers["x-api-key"]',
  '*.headers["x-api-key"]',
  'hash',
  '*.hash',
  'redis.url',
  '*.redis.url',
];

/** JSON lines on stdout. */
export function createLog(level: string, destination: NodeJS.WritableStream = process.stdout): Pino {
  return pino({ level, redact: { paths: REDACTED, censor: '***' }, base: null }, destination as never);
}

/** One line for each call that is over. Prompts and answers are never in it. */
export class AccessLog implements RecordSink {
  readonly #log: Pino;

  constructor(log: Pino) {
    this.#log = log;
  }

  record(record: RequestRecord): void {
    if (record.state === 'running') return;
    const { id, key, agent, protocol, model, status, provider, answeredBy, node, cache } = record;
    const { finishReason, usage, costUsd, firstTokenMs, latencyMs, queuedMs, state, error, attempts } =
      record;
    const line = {
      ...{
        requestId: id,
        key,
        agent,
        protocol,
        model,
        status,
        provider,
        answeredBy,
        node,
        cache,
        finishReason,
      },
      ...{ promptTokens: usage?.promptTokens, completionTokens: usage?.completionTokens, costUsd },
      ...{ firstTokenMs: whole(firstTokenMs), latencyMs: whole(latencyMs), queuedMs: whole(queuedMs) },
      attempts: attempts.length,
      error: error?.category,
      reason: error?.message,
    };
    if (state === 'failed') this.#log.warn(line, 'call failed');
    else this.#log.info(line, state === 'stopped' ? 'call stopped by its client' : 'call');
  }
}

function whole(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}
