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
  segments: Segment[];
}

/** A wait that is none: choosing a node takes its time as well. */
const SHORTEST_MS = 1;

export interface Timeline {
  totalMs: number;
  tracks: Track[];
}

/**
 * What a call did when.
 * @param now milliseconds since the epoch: a call under way reaches until then
 */
export function timelineOf(record: RequestRecord, now: number): Timeline {
  const { attempts, state } = record;
  const totalMs = record.latencyMs ?? (state === 'running' ? Math.max(0, now - record.at) : endOf(attempts));
  if (attempts.length === 0) return { totalMs, tracks: [withoutAttempts(record, totalMs)] };
  const tracks = attempts.map((attempt, index) => trackOf(attempt, index, record, totalMs));
  return { totalMs: Math.max(totalMs, endOf(attempts)), tracks };
}

/** A call that asked nobody, or whose attempts are told when it ends. */
function withoutAttempts(record: RequestRecord, totalMs: number): Track {
  const { state, cache, error, provider = 'gateway', firstTokenMs } = record;
  if (state === 'running') return { label: provider, segments: openSegments(0, totalMs, firstTokenMs) };
  const outcome = error?.category ?? (state === 'stopped' ? 'aborted' : 'ok');
  const isHit = cache === 'hit' || cache === 'shared';
  const phase: Phase = isHit ? 'cache' : state === 'failed' ? 'failed' : 'wait';
  return {
    label: isHit ? `cache (${cache})` : 'gateway',
    outcome,
    segments: some({ phase, from: 0, to: totalMs }),
  };
}

function endOf(attempts: readonly AttemptRecord[]): number {
  return Math.max(0, ...attempts.map(({ startMs, durationMs }) => startMs + durationMs));
}

function trackOf(attempt: AttemptRecord, index: number, record: RequestRecord, totalMs: number): Track {
  const { provider, node, model, startMs, durationMs, outcome, message } = attempt;
  const { attempts, firstTokenMs, queuedMs = 0 } = record;
  const isLast = index === attempts.length - 1;
  const label = [provider, node, model].filter(Boolean).join(' · ');
  // The wait is told for the call as a whole; the last attempt stands behind it, and behind the attempts before.
  const waitedFrom = isLast ? Math.max(startMs - queuedMs, endOf(attempts.slice(0, index)), 0) : startMs;
  const queue =
    startMs - waitedFrom < SHORTEST_MS ? [] : some({ phase: 'queue', from: waitedFrom, to: startMs });
  if (isLast && record.state === 'running') {
    return { label, segments: [...queue, ...openSegments(startMs, totalMs, firstTokenMs)] };
  }
  const end = startMs + durationMs;
  const told = { label, outcome, ...(message ? { message } : {}) };
  if (firstTokenMs !== undefined && firstTokenMs >= startMs && firstTokenMs <= end) {
    const wait = some({ phase: 'wait', from: startMs, to: firstTokenMs });
    return {
      ...told,
      segments: [...queue, ...wait, ...some({ phase: 'stream', from: firstTokenMs, to: end })],
    };
  }
  const phase: Phase = outcome !== 'ok' ? 'failed' : firstTokenMs === undefined ? 'wait' : 'stream';
  return { ...told, segments: [...queue, ...some({ phase, from: startMs, to: end })] };
}

function openSegments(from: number, to: number, firstTokenMs: number | undefined): Segment[] {
  if (firstTokenMs === undefined || firstTokenMs < from) return some({ phase: 'open', from, to });
  return [
    ...some({ phase: 'wait', from, to: firstTokenMs }),
    ...some({ phase: 'open', from: firstTokenMs, to }),
  ];
}

/** Nothing, where it takes no time. */
function some(segment: Segment): Segment[] {
  return segment.to > segment.from ? [segment] : [];
}
