import { memo } from 'react';
import type { RequestRecord } from '../contract.ts';
import { count, duration, time, usd } from '../format.ts';
import { hashOf } from '../shell/route.ts';
import { MiniGantt } from './gantt.tsx';
import { timelineOf } from './timeline.ts';

interface RowProps {
  record: RequestRecord;
  isOpen: boolean;
}

export const Row = memo(function Row({ record, isOpen }: RowProps) {
  const {
    id,
    at,
    model,
    answeredBy,
    provider,
    node,
    key,
    agent,
    usage,
    costUsd,
    priced,
    latencyMs,
    firstTokenMs,
  } = record;
  const who = [provider, node].filter(Boolean).join(' · ');
  return (
    <tr className={`is-${record.state}${isOpen ? ' is-open' : ''}`}>
      <td className="at">
        <a
          href={hashOf({ view: 'requests', part: id })}
          data-id={id}
          aria-current={isOpen ? 'true' : undefined}
        >
          {time(at)}
        </a>
      </td>
      <td className="outcome">
        <Outcome record={record} />
      </td>
      <td className="model">
        <span>{model}</span>
        <span className="muted">{who || answeredBy}</span>
      </td>
      <td className="caller">
        <span>{key}</span>
        <span className="muted">{agent}</span>
      </td>
      <td className="number">
        <span>{duration(latencyMs)}</span>
        <span className="muted">{firstTokenMs === undefined ? '' : `first ${duration(firstTokenMs)}`}</span>
      </td>
      <td className="shape">
        {record.state !== 'running' && <MiniGantt timeline={timelineOf(record, at)} />}
      </td>
      <td className="number tokens">
        <span>{usage ? count(usage.promptTokens + usage.completionTokens) : '–'}</span>
      </td>
      <td className="number cost">
        <span>{priced === false ? 'unknown' : usd(costUsd)}</span>
      </td>
    </tr>
  );
});

/** How a call ended, in a word. */
export function Outcome({ record }: { record: RequestRecord }) {
  const { state, status, error, cache, attempts } = record;
  const word = state === 'failed' ? (error?.category ?? 'failed') : state === 'succeeded' ? 'ok' : state;
  const providers = new Set(attempts.map(({ provider }) => provider)).size;
  const note = cache === 'hit' || cache === 'shared' ? 'cache' : providers > 1 ? 'fallback' : undefined;
  return (
    <span className={`badge is-${state}`} title={status === undefined ? undefined : `HTTP ${status}`}>
      {word}
      {note && <span className="note">{note}</span>}
    </span>
  );
}
