import { ERROR_CATEGORIES, isAirframeError } from '../errors.ts';
import type { DoneEvent, ErrorEvent, FinishReason, InferenceStreamEvent, ToolCall } from '../events.ts';
import { isScripted, type Observation } from './observe.ts';
import { TEXT } from './replies.ts';
import { CONFORMANCE_KEY } from './subject.ts';

/** A rule of the stream contract. */
export interface Invariant {
  /** Names the rule in reports. */
  id: string;
  /** @returns what is wrong, or undefined */
  check(seen: Observation): string | undefined;
}

const BAD_ENDINGS: ReadonlySet<FinishReason> = new Set(['aborted', 'truncated', 'stalled', 'error']);
/** An error of this category is an ending of its own. */
const FILTERED = 'content_filter';

const doneOf = ({ events }: Observation) => events.find((event): event is DoneEvent => event.type === 'done');
const errorOf = ({ events }: Observation) =>
  events.find((event): event is ErrorEvent => event.type === 'error');
/** The stream says that the reply is whole. */
function endsWell(seen: Observation): boolean {
  const done = doneOf(seen);
  return done !== undefined && !errorOf(seen) && !BAD_ENDINGS.has(done.finishReason);
}

const textOf = ({ events }: Observation) =>
  events.map(event => (event.type === 'token' ? event.text : '')).join('');
const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 200);

/** Every rule, in the order in which a report names them. */
export const INVARIANTS: readonly Invariant[] = [
  {
    id: 'never-throws',
    check: ({ thrown }) =>
      thrown === undefined ? undefined : `threw ${String(thrown)}; failures are events`,
  },
  { id: 'never-hangs', check: ({ hung }) => (hung === undefined ? undefined : `waited in vain for ${hung}`) },
  {
    id: 'done-once-and-last',
    check: ({ events, ended, left, behindEnd }) => {
      const count = events.filter(({ type }) => type === 'done').length;
      if (ended && count !== 1) return `${count} done events; a stream has exactly one`;
      if (count > 0 && events.at(-1)?.type !== 'done') return `${events.at(-1)?.type} comes behind done`;
      return behindEnd[0] && `${behindEnd[0].type} comes behind ${left ? 'return()' : 'the end'}`;
    },
  },
  { id: 'events-in-order', check: orderProblem },
  {
    id: 'error-with-bad-ending',
    check: seen => {
      const done = doneOf(seen);
      const error = errorOf(seen);
      if (!done) return undefined;
      if (!error)
        return BAD_ENDINGS.has(done.finishReason)
          ? `ends as ${done.finishReason} without an error event`
          : undefined;
      const fits =
        BAD_ENDINGS.has(done.finishReason) ||
        (done.finishReason === FILTERED && error.error.category === FILTERED);
      return fits ? undefined : `an error event and yet the ending ${done.finishReason}`;
    },
  },
  { id: 'ending-is-true', check: endingProblem },
  { id: 'error-is-classified', check: errorProblem },
  { id: 'text-unchanged', check: textProblem },
  { id: 'tool-calls-add-up', check: toolCallProblem },
  { id: 'message-when-whole', check: messageProblem },
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
  {
    id: 'backend-is-stopped',
    check: ({ stillAnswering }) =>
      stillAnswering > 0 ? 'the connection stays open: the backend would go on' : undefined,
  },
  {
    id: 'slow-caller-slows-backend',
    check: ({ bytesWhileStalled }) =>
      bytesWhileStalled > MAX_UNREAD_BYTES
        ? `the backend could send ${bytesWhileStalled} bytes to a caller who reads none`
        : undefined,
  },
  {
    id: 'signal-is-let-go',
    check: ({ listeners }) =>
      listeners > 0 ? `${listeners} listeners stay on the caller's signal` : undefined,
  },
  {
    id: 'redirects-not-followed',
    check: ({ requests }) =>
      requests?.includes('/elsewhere') ? 'followed a redirect, with the key' : undefined,
  },
  {
    id: 'headers-are-sent',
    check: ({ headers = [], case: { caller } }) => {
      const missing = Object.entries(caller?.headers ?? {}).find(([name, value]) =>
        headers.some(sent => sent[name] !== value),
      );
      return missing && `a request went without the call's header ${missing[0]}, or with another value`;
    },
  },
  {
    id: 'no-secret',
    check: ({ events }) => {
      const leak = events.find(event => revealed(event).includes(CONFORMANCE_KEY));
      return leak && `the key stands in an event of type ${leak.type}`;
    },
  },
  { id: 'manifest-is-true', check: manifestProblem },
];

/** Buffers of sockets on both sides, and some of ours. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

/** Output, then an error; or output, tool calls and the message; then done. */
function orderProblem({ events }: Observation): string | undefined {
  const rank: Record<InferenceStreamEvent['type'], number> = {
    token: 0,
    reasoning: 0,
    tool_call_delta: 0,
    tool_call: 1,
    message: 2,
    error: 3,
    done: 4,
  };
  const wrong = events.findIndex(
    (event, at) => at > 0 && rank[event.type] < rank[events[at - 1]?.type ?? 'token'],
  );
  if (wrong >= 0) return `${events[wrong]?.type} comes behind ${events[wrong - 1]?.type}`;
  const errors = events.filter(({ type }) => type === 'error').length;
  return errors > 1 ? `${errors} error events` : undefined;
}

function endingProblem(seen: Observation): string | undefined {
  const { finishReason: allowed } = seen.case.expect;
  const done = doneOf(seen);
  if (!done || !allowed) return undefined;
  return allowed.includes(done.finishReason)
    ? undefined
    : `ends as ${done.finishReason} instead of ${allowed.join(' or ')}${errorOf(seen) ? `: ${errorOf(seen)?.error.message}` : ''}`;
}

function errorProblem(seen: Observation): string | undefined {
  const { expect } = seen.case;
  const event = errorOf(seen);
  if (!event) return undefined;
  const { error } = event;
  if (!isAirframeError(error)) return 'the error is no AirframeError';
  if (!ERROR_CATEGORIES.includes(error.category)) return `the category ${error.category} does not exist`;
  if (typeof error.message !== 'string' || error.message.trim() === '') return 'the error has no message';
  if (!expect.error) return `an error where none belongs: ${error.message}`;
  if (!expect.error.includes(error.category)) {
    return `the category is ${error.category} instead of ${expect.error.join(' or ')}: ${error.message}`;
  }
  if (expect.retryable !== undefined && error.retryable !== expect.retryable)
    return `retryable is ${error.retryable}`;
  const [least, most] = expect.retryAfterMs ?? [0, Number.POSITIVE_INFINITY];
  const { retryAfterMs } = error;
  if (expect.retryAfterMs && !(retryAfterMs !== undefined && retryAfterMs >= least && retryAfterMs <= most)) {
    return `retryAfterMs is ${retryAfterMs} instead of ${least} to ${most}`;
  }
  return undefined;
}

function textProblem(seen: Observation): string | undefined {
  if (!isScripted(seen)) return undefined;
  const { expect, backend = {} } = seen.case;
  const text = textOf(seen);
  const pieces = (backend.reply ?? TEXT).text;
  const scripted = pieces.join('');
  const kept = pieces.slice(0, expect.keepsEvents ?? 0).join('');
  if (endsWell(seen) && text !== scripted) return `the text is ${shown(text)} instead of ${shown(scripted)}`;
  if (expect.text === 'whole' && text !== scripted)
    return `of ${shown(scripted)} only ${shown(text)} came out`;
  if (!scripted.startsWith(text)) return `the text ${shown(text)} is no part of ${shown(scripted)}`;
  return text.startsWith(kept) ? undefined : `${shown(kept)} was lost`;
}

function toolCallProblem(seen: Observation): string | undefined {
  const calls: ToolCall[] = [];
  const pieces = new Map<number, string>();
  for (const event of seen.events) {
    if (event.type === 'tool_call_delta')
      pieces.set(event.index, (pieces.get(event.index) ?? '') + event.argumentsDelta);
    if (event.type === 'tool_call') {
      if (event.index !== calls.length) return `the call at place ${calls.length} has index ${event.index}`;
      calls.push(event.call);
    }
  }
  const scripted = isScripted(seen) ? (seen.case.backend?.reply ?? TEXT).toolCalls : undefined;
  if (endsWell(seen) && scripted && calls.length !== scripted.length) {
    return `${calls.length} tool calls instead of ${scripted.length}`;
  }
  if (new Set(calls.map(({ id }) => id)).size < calls.length) return 'two tool calls share an id';
  for (const [index, call] of calls.entries()) {
    const problem = callProblem(call, pieces.get(index), scripted?.[index]);
    if (problem) return problem;
  }
  return undefined;
}

function callProblem(
  call: ToolCall,
  pieces: string | undefined,
  scripted: { name: string; arguments: readonly string[] } | undefined,
): string | undefined {
  if (!call.id || !call.name) return 'a tool call lacks its id or its name';
  if ((call.parseError === undefined) !== 'input' in call)
    return `call ${call.id} has both or none of input and parseError`;
  if (pieces !== undefined && pieces !== '' && pieces !== call.arguments)
    return `the deltas of ${call.id} join to ${shown(pieces)} instead of ${shown(call.arguments)}`;
  if (!scripted) return undefined;
  const asked = JSON.stringify(JSON.parse(scripted.arguments.join('')));
  if (call.name !== scripted.name) return `the call of ${scripted.name} comes as ${call.name}`;
  return JSON.stringify(call.input) === asked
    ? undefined
    : `the input of ${call.name} is ${shown(call.input)} instead of ${asked}`;
}

function messageProblem(seen: Observation): string | undefined {
  const messages = seen.events.flatMap(event => (event.type === 'message' ? [event.message] : []));
  const done = doneOf(seen);
  if (!done) return undefined;
  const wanted = endsWell(seen) ? 1 : 0;
  if (messages.length !== wanted) return `${messages.length} message events instead of ${wanted}`;
  const [message] = messages;
  if (!message) return undefined;
  if (message.content !== textOf(seen))
    return `the message says ${shown(message.content)}, the events ${shown(textOf(seen))}`;
  const calls = seen.events.flatMap(event => (event.type === 'tool_call' ? [event.call.id] : []));
  const ids = (message.toolCalls ?? []).map(({ id }) => id);
  return JSON.stringify(ids) === JSON.stringify(calls)
    ? undefined
    : 'the message has other tool calls than the events';
}

function usageProblem(seen: Observation): string | undefined {
  const done = doneOf(seen);
  if (!done) return undefined;
  const { promptTokens, completionTokens, totalTokens, source, ...subsets } = done.usage;
  const { cachedTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = subsets;
  const figures = [
    promptTokens,
    completionTokens,
    totalTokens,
    cachedTokens,
    cacheWriteTokens,
    reasoningTokens,
  ];
  if (!figures.every(figure => Number.isInteger(figure) && figure >= 0))
    return `usage holds ${shown(done.usage)}`;
  if (totalTokens !== promptTokens + completionTokens)
    return `${promptTokens} + ${completionTokens} tokens are not ${totalTokens}`;
  if (cachedTokens + cacheWriteTokens > promptTokens) return 'more tokens are cached than the prompt has';
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

function manifestProblem({ adapter }: Observation): string | undefined {
  const { capabilities } = adapter;
  const keys = [
    'streaming',
    'rawPrompt',
    'tools',
    'images',
    'reasoning',
    'jsonSchema',
    'seed',
    'embed',
    'countTokens',
    'listModels',
    'health',
  ] as const;
  const missing = keys.find(key => typeof capabilities[key] !== 'boolean');
  if (missing) return `capabilities.${missing} is neither true nor false`;
  const wrong = (['embed', 'countTokens', 'listModels'] as const).find(
    key => capabilities[key] !== (typeof adapter[key] === 'function'),
  );
  return wrong && `capabilities.${wrong} is ${capabilities[wrong]}, and the method says otherwise`;
}

/** An event as a log would show it, errors with all they hold. */
function revealed(event: InferenceStreamEvent): string {
  if (event.type !== 'error') return JSON.stringify(event);
  const chain: unknown[] = [];
  for (let error: unknown = event.error; error instanceof Error && chain.length < 10; error = error.cause) {
    chain.push(error.message, error.stack, { ...error });
  }
  return JSON.stringify(chain);
}
