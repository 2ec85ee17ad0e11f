import type { AttemptRecord, RequestRecord } from '../contract.ts';

/** `wait`: until the first token. `stream`: from there to the end. `failed`: a try that brought nothing. */
export type Phase = 'queue' | 'wait' | 'stream' | 'failed' | 'cache' | 'open';

export interface Segment {
  phase: Phase;
  /** Milliseconds after the call began. */
  from: number;
  to: number;
}

/** One try at one provider. */
export interface Track {
  label: string;
  /** `ok`, or an error category; absent: it goes on. */
  outcome?: string;
  message?: string;
  costUsd?: number;
  segments: Segment[];
}

export interface Timeline {
  totalMs: number;
  tracks: Track[];
}

/**
 * What a call did when.
 * @param now milliseconds since the epoch: a call under way reaches until then
 */
export function timelineOf(record: RequestRecord, now: number): Timeline {
  const { attempts, state, cache, error } = record;
  const isOpen = state === 'running';
  const totalMs = record.latencyMs ?? (isOpen ? Math.max(0, now - record.at) : endOf(attempts));
  if (attempts.length > 0) {
    const tracks = attempts.map((attempt, index) =>
      trackOf(attempt, record, index === attempts.length - 1, totalMs),
    );
    return { totalMs: Math.max(totalMs, endOf(attempts)), tracks };
  }
  const fromCache = cache === 'hit' || cache === 'shared';
  const phase: Phase = fromCache ? 'cache' : isOpen ? 'open' : state === 'failed' ? 'failed' : 'wait';
  const label = fromCache ? `cache (${cache})` : 'gateway';
  const outcome = isOpen ? {} : { outcome: error?.category ?? 'ok' };
  return { totalMs, tracks: [{ label, ...outcome, segments: [{ phase, from: 0, to: totalMs }] }] };
}

function endOf(attempts: readonly AttemptRecord[]): number {
  return Math.max(0, ...attempts.map(({ startMs, durationMs }) => startMs + durationMs));
}

function trackOf(attempt: AttemptRecord, record: RequestRecord, isLast: boolean, totalMs: number): Track {
  const { provider, node, model, startMs, outcome, message, costUsd } = attempt;
  const goesOn = isLast && record.state === 'running';
  const end = goesOn ? totalMs : startMs + attempt.durationMs;
  const queuedMs = attempt.queuedMs ?? (isLast ? (record.queuedMs ?? 0) : 0);
  const sent = Math.min(end, startMs + queuedMs);
  const segments: Segment[] = [{ phase: 'queue', from: startMs, to: sent }];
  const { firstTokenMs } = record;
  if (firstTokenMs !== undefined && firstTokenMs >= sent && firstTokenMs <= end) {
    segments.push({ phase: 'wait', from: sent, to: firstTokenMs });
    segments.push({ phase: 'stream', from: firstTokenMs, to: end });
  } else {
    const phase = goesOn
      ? 'open'
      : outcome !== 'ok'
        ? 'failed'
        : firstTokenMs === undefined
          ? 'wait'
          : 'stream';
    segments.push({ phase, from: sent, to: end });
  }
  return {
    label: [provider, node, model].filter(Boolean).join(' · '),
    ...(goesOn ? {} : { outcome }),
    ...(message ? { message } : {}),
    ...(costUsd === undefined ? {} : { costUsd }),
    segments: segments.filter(({ from, to }) => to > from),
  };
}
