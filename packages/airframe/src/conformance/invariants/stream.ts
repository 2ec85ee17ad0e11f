import type { InferenceStreamEvent } from '../../events.ts';
import type { Observation } from '../observe.ts';
import type { Invariant } from './invariant.ts';

/** The shape of a stream. */
export const STREAM: readonly Invariant[] = [
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
];

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
