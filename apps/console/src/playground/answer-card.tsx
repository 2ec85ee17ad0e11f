import type { ModelEntry } from '../contract.ts';
import { duration, percent, rate, count as tokens, usd } from '../format.ts';
import { hashOf } from '../shell/route.ts';
import { type Answer, isRunning, type ToolCallSoFar } from './answer.ts';
import { type Figures, figuresOf } from './figures.ts';
import { CopyButton, Markdown } from './markdown.tsx';
import { useClock } from './use-clock.ts';

interface AnswerCardProps {
  answer: Answer;
  price: ModelEntry['price'];
  promptCharacters: number;
  /** Calls can be looked up. */
  linked: boolean;
}

export function AnswerCard({ answer, price, promptCharacters, linked }: AnswerCardProps) {
  const running = isRunning(answer);
  const now = useClock(running);
  const figures = figuresOf(answer, now, price, promptCharacters);
  const { text, reasoning, toolCalls, error, answeredBy, model } = answer;
  return (
    <article className={`answer is-${answer.state}`} aria-busy={running} aria-label={`Answer of ${model}`}>
      <header>
        <h2>{model}</h2>
        {answeredBy && answeredBy !== model && <span className="muted">{answeredBy}</span>}
        <span className="fill" />
        <span className="state">{stateOf(answer)}</span>
        <span className="links">
          {text && !running && <CopyButton text={text} />}
          {linked && answer.requestId && (
            <a href={hashOf({ view: 'requests', part: answer.requestId })}>Request</a>
          )}
        </span>
      </header>
      {reasoning && <Reasoning text={reasoning} open={running && text === ''} />}
      {text && <Markdown text={text} />}
      {toolCalls.map((call, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: calls keep their places.
        <ToolCall key={index} call={call} />
      ))}
      {answer.state === 'waiting' && <p className="waiting" aria-hidden="true" />}
      {error && (
        <p className="error" role="alert">
          {error.message}
          {error.code && <code>{error.code}</code>}
        </p>
      )}
      <FigureList answer={answer} figures={figures} />
    </article>
  );
}

function stateOf({ state, finishReason }: Answer): string {
  if (state === 'waiting') return 'Waiting';
  if (state === 'streaming') return 'Answering';
  if (state === 'stopped') return 'Stopped';
  if (state === 'failed') return 'Failed';
  if (finishReason === 'length') return 'Cut at the token limit';
  return finishReason === 'content_filter' ? 'Cut by a filter' : '';
}

function Reasoning({ text, open }: { text: string; open: boolean }) {
  return (
    <details className="reasoning">
      <summary>
        {open ? 'Thinking' : 'Thoughts'}
        <span className="muted">{tokens(Math.ceil(text.length / 4))} tokens or so</span>
      </summary>
      <Markdown text={text} />
    </details>
  );
}

function ToolCall({ call }: { call: ToolCallSoFar }) {
  return (
    <div className="code tool-call">
      <div className="code-head">
        <span>
          calls <strong>{call.name}</strong>
        </span>
        <CopyButton text={call.arguments} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard must get there. */}
      <pre tabIndex={0}>
        <code>{indented(call.arguments)}</code>
      </pre>
    </div>
  );
}

/** JSON with line breaks; what is not whole yet stays as it is. */
function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

function FigureList({ answer, figures }: { answer: Answer; figures: Figures }) {
  const about = figures.estimated && answer.pieces > 0 ? '≈ ' : '';
  const { cached_tokens: cached = 0 } = answer.usage?.prompt_tokens_details ?? {};
  const { prompt_tokens: prompt = 0 } = answer.usage ?? {};
  const rows: [label: string, value: string, title?: string][] = [
    [
      'First token',
      answer.firstAt === undefined && !isRunning(answer) ? '–' : duration(figures.firstTokenMs),
    ],
    ['Speed', figures.tokensPerSecond === undefined ? '–' : `${rate(figures.tokensPerSecond)} tok/s`],
    [
      'Tokens',
      `${about}${tokens(figures.promptTokens)} → ${tokens(figures.completionTokens)}`,
      'Prompt → answer',
    ],
    ...(cached > 0
      ? ([['Cached', percent(cached / prompt), 'Of the prompt']] satisfies [string, string, string][])
      : []),
    ['Cost', `${figures.costUsd ? about : ''}${usd(figures.costUsd)}`],
    ['Time', duration(figures.totalMs)],
  ];
  return (
    <dl className="figures">
      {rows.map(([label, value, title]) => (
        <div key={label} title={title}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
