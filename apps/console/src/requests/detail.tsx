import { useEffect, useState } from 'react';
import type { ModelEntry, RequestRecord } from '../contract.ts';
import { count, duration, time, usd } from '../format.ts';
import { CopyButton } from '../playground/markdown.tsx';
import { useNow } from '../shell/connection.tsx';
import { CloseIcon } from '../shell/icons.tsx';
import { costParts } from './cost-parts.ts';
import { Gantt } from './gantt.tsx';
import { Outcome } from './row.tsx';
import { messagesIn } from './said.ts';
import { timelineOf } from './timeline.ts';

interface DetailProps {
  record: RequestRecord;
  models: readonly ModelEntry[];
  apiKey: string;
  /** Prompts and answers are kept. */
  captured: boolean;
  onClose(): void;
}

export function Detail({ record, models, apiKey, captured, onClose }: DetailProps) {
  const now = useNow(record.state === 'running');
  return (
    <aside className="detail" aria-labelledby="detail-title">
      <header>
        <h2 id="detail-title">{record.model}</h2>
        <Outcome record={record} />
        <span className="fill" />
        <button type="button" className="icon" title="Close (Esc)" onClick={onClose}>
          <CloseIcon />
          <span className="sr">Close</span>
        </button>
      </header>
      <p className="call-id">
        <code>{record.id}</code>
        <CopyButton text={record.id} />
      </p>
      {record.error && (
        <p className="error">
          {record.error.message}
          <code>{record.error.category}</code>
        </p>
      )}
      <h3>Time</h3>
      <Gantt timeline={timelineOf(record, now)} />
      <h3>Usage and cost</h3>
      <Usage record={record} models={models} />
      <h3>Call</h3>
      <Facts record={record} />
      {captured && record.state !== 'running' && <Content id={record.id} apiKey={apiKey} />}
    </aside>
  );
}

function Facts({ record }: { record: RequestRecord }) {
  const { queuedMs, firstTokenMs, latencyMs, status } = record;
  const facts: [label: string, value: string | undefined][] = [
    ['Began', time(record.at)],
    ['Took', latencyMs === undefined ? undefined : duration(latencyMs)],
    ['First token', firstTokenMs === undefined ? undefined : duration(firstTokenMs)],
    ['Waited for a slot', queuedMs === undefined ? undefined : duration(queuedMs)],
    ['Provider', record.provider],
    ['Node', record.node],
    ['Answered by', record.answeredBy],
    ['Finish reason', record.finishReason],
    ['Key', record.key],
    ['Agent', record.agent],
    ['Protocol', `${record.protocol}${record.stream ? ', streamed' : ''}`],
    ['Cache', record.cache],
    ['HTTP status', status === undefined ? undefined : String(status)],
  ];
  return (
    <dl className="facts-grid">
      {facts.map(
        ([label, value]) =>
          value !== undefined && (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Usage({ record, models }: { record: RequestRecord; models: readonly ModelEntry[] }) {
  const { usage, costUsd, priced } = record;
  if (!usage) return <p className="muted">{record.state === 'running' ? 'Known at its end.' : 'None.'}</p>;
  const parts = costParts(record, usage, models);
  const isListed = parts.some(({ price }) => price !== '');
  return (
    <table className="usage">
      <thead>
        <tr>
          <th scope="col">
            <span className="sr">Part</span>
          </th>
          <th scope="col">Tokens</th>
          <th scope="col">{isListed && 'List price'}</th>
          <th scope="col">{isListed && 'Cost'}</th>
        </tr>
      </thead>
      <tbody>
        {parts.map(({ label, tokens, price, cost, isPart }) => (
          <tr key={label} className={isPart ? 'muted' : undefined}>
            <th scope="row">{label}</th>
            <td>{count(tokens)}</td>
            <td>{price}</td>
            <td>{cost === undefined ? '' : usd(cost)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row" colSpan={3}>
            {record.attempts.length > 1 ? 'All tries' : 'Together'}
          </th>
          <td>{priced === false ? `${usd(costUsd)}, price unknown` : usd(costUsd)}</td>
        </tr>
      </tfoot>
      <caption>
        {usage.source === 'reported' ? 'Tokens as the provider reports them.' : `Tokens are ${usage.source}.`}
      </caption>
    </table>
  );
}

/** What was said: it is asked for when somebody looks. */
function Content({ id, apiKey }: { id: string; apiKey: string }) {
  const [content, setContent] = useState<RequestRecord['content'] | 'none'>();
  useEffect(() => {
    const controller = new AbortController();
    contentOf(id, apiKey, controller.signal).then(setContent, () => {
      if (!controller.signal.aborted) setContent('none');
    });
    return () => controller.abort();
  }, [id, apiKey]);
  if (content === undefined) return null;
  if (content === 'none') return <p className="muted">Prompt and answer were not kept.</p>;
  return (
    <>
      <h3>Prompt</h3>
      {(messagesIn(content.prompt) ?? [{ role: '', text: content.prompt }]).map(({ role, text }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: what was said stays as it is.
        <p key={index} className="said">
          {role && <span className="said-role muted">{role}</span>}
          {text}
        </p>
      ))}
      <h3>Answer</h3>
      <p className="said">{content.answer}</p>
    </>
  );
}

async function contentOf(
  id: string,
  apiKey: string,
  signal: AbortSignal,
): Promise<NonNullable<RequestRecord['content']> | 'none'> {
  const response = await fetch(`/admin/requests/${encodeURIComponent(id)}`, {
    headers: { authorization: `Bearer ${apiKey}` },
    signal,
  });
  if (!response.ok) return 'none';
  const { content } = (await response.json()) as RequestRecord;
  return content ?? 'none';
}
