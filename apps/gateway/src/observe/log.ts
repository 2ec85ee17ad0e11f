import type { RequestRecord } from '@x/console/contract';
import { type Logger as Pino, pino } from 'pino';
import type { RecordSink } from '../calls/recorder.ts';
import { withoutSecrets } from './secrets.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on stdout. Should somebody log what holds secrets, they are taken out. */
export function createLog(level: LogLevel, destination: NodeJS.WritableStream = process.stdout): Pino {
  const formatters = { log: (fields: object) => withoutSecrets(fields) as Record<string, unknown> };
  return pino({ level, base: null, formatters }, destination as never);
}

/** Errors that are found here while a backend answers. */
const FOUND_HERE: ReadonlySet<string> = new Set(['connection', 'timeout', 'aborted']);

/** One line for each call that is over. Prompts and answers are never in it. */
export class AccessLog implements RecordSink {
  readonly #log: Pino;
  /** Its fields are known, and hold no secret. */
  readonly #lines: Pino;

  constructor(log: Pino) {
    this.#log = log;
    this.#lines = log.child({}, { level: 'trace', formatters: { log: fields => fields } });
  }

  record(record: RequestRecord): void {
    const { state, error, usage, attempts } = record;
    const level = state === 'failed' ? 'warn' : 'info';
    if (state === 'running' || !this.#log.isLevelEnabled(level)) return;
    // Written for every call: one literal, nothing spread.
    const line = {
      requestId: record.id,
      key: record.key,
      agent: record.agent,
      protocol: record.protocol,
      model: record.model,
      stream: record.stream,
      status: record.status,
      provider: record.provider ?? attempts.at(-1)?.provider,
      answeredBy: record.answeredBy,
      node: record.node,
      cache: record.cache,
      finishReason: record.finishReason,
      promptTokens: usage?.promptTokens,
      completionTokens: usage?.completionTokens,
      costUsd: record.costUsd,
      // Absent, unless the sum lacks something.
      priced: record.priced === false ? false : undefined,
      firstTokenMs: whole(record.firstTokenMs),
      latencyMs: whole(record.latencyMs),
      queuedMs: whole(record.queuedMs),
      attempts: attempts.length,
      error: error?.category,
      reason: error && reasonOf(error, attempts.at(-1)?.status),
      upstreamStatus: error && attempts.at(-1)?.status,
    };
    this.#lines[level](line, MESSAGES[state]);
  }
}

/** What a backend said may quote the prompt, or hold what was generated: the console has it, for admins; the log has not. */
function reasonOf({ category, message }: NonNullable<RequestRecord['error']>, status: number | undefined) {
  const isOurs = status === undefined || (status < 300 && FOUND_HERE.has(category));
  return isOurs ? message : undefined;
}

const MESSAGES = { succeeded: 'call', failed: 'call failed', stopped: 'call stopped by its client' };

function whole(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}
