import { isScripted, type Observation } from '../observe.ts';
import { TEXT } from '../replies.ts';
import type { Invariant } from './invariant.ts';
import { doneOf, endsWell, errorOf, shown } from './seen.ts';

/** What a call has used, and the log of its tries. */
export const FIGURES: readonly Invariant[] = [
  { id: 'usage-adds-up', check: usageProblem },
  { id: 'usage-is-the-backends', check: reportedUsageProblem },
  { id: 'attempts-logged', check: attemptsProblem },
  {
    id: 'timings-hold',
    check: seen => {
      const { totalMs, firstTokenMs } = doneOf(seen)?.timings ?? { totalMs: 0 };
      if (!(totalMs >= 0)) return `totalMs is ${totalMs}`;
      const hasFirst = firstTokenMs === undefined || (firstTokenMs >= 0 && firstTokenMs <= totalMs);
      return hasFirst ? undefined : `firstTokenMs is ${firstTokenMs} of ${totalMs}`;
    },
  },
];

function usageProblem(seen: Observation): string | undefined {
  const done = doneOf(seen);
  if (!done) return undefined;
  const { promptTokens, completionTokens, totalTokens, source, ...subsets } = done.usage;
  const { cachedTokens = 0, cacheWriteTokens = 0, cacheWrite1hTokens = 0, reasoningTokens = 0 } = subsets;
  const figures = [
    promptTokens,
    completionTokens,
    totalTokens,
    cachedTokens,
    cacheWriteTokens,
    cacheWrite1hTokens,
    reasoningTokens,
  ];
  if (!figures.every(figure => Number.isInteger(figure) && figure >= 0))
    return `usage holds ${shown(done.usage)}`;
  if (totalTokens !== promptTokens + completionTokens)
    return `${promptTokens} + ${completionTokens} tokens are not ${totalTokens}`;
  if (cachedTokens + cacheWriteTokens > promptTokens) return 'more tokens are cached than the prompt has';
  if (cacheWrite1hTokens > cacheWriteTokens)
    return 'more tokens are written to the cache for an hour than are written to it';
  if (reasoningTokens > completionTokens) return 'more tokens are reasoning than were generated';
  return source === 'reported' || source === 'estimated' ? undefined : `usage.source is ${String(source)}`;
}

function reportedUsageProblem(seen: Observation): string | undefined {
  const done = doneOf(seen);
  if (!done || !endsWell(seen) || !isScripted(seen)) return undefined;
  const { promptTokens, completionTokens } = seen.case.backend?.reply ?? TEXT;
  const { usage } = done;
  if (usage.source !== 'reported') return 'the backend reported usage, and yet it is an estimate';
  return usage.promptTokens === promptTokens && usage.completionTokens === completionTokens
    ? undefined
    : `usage is ${usage.promptTokens} + ${usage.completionTokens} instead of ${promptTokens} + ${completionTokens}`;
}

function attemptsProblem(seen: Observation): string | undefined {
  const done = doneOf(seen);
  if (!done) return undefined;
  const { attempts } = done;
  const error = errorOf(seen)?.error;
  const last = attempts.at(-1);
  if (!last) return 'done has no attempt log';
  if (attempts.some(({ number }, at) => number !== at + 1))
    return `attempts are numbered ${attempts.map(({ number }) => number)}`;
  if (attempts.some(({ endpoint }) => endpoint !== seen.endpointName))
    return 'an attempt names another endpoint';
  if (error && error.attempts.length !== attempts.length)
    return 'the error has another attempt log than done';
  if (endsWell(seen) && last.outcome !== 'ok') return `the last attempt is ${last.outcome} at a good ending`;
  if (error && last.outcome === 'ok') return 'the last attempt is ok at a bad ending';
  const { requests } = seen;
  return requests && requests.length > attempts.length
    ? `${requests.length} requests at the backend, ${attempts.length} in the attempt log`
    : undefined;
}
