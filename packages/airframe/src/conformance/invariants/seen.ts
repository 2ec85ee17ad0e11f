import type { DoneEvent, ErrorEvent, FinishReason } from '../../events.ts';
import type { Observation } from '../observe.ts';

export const BAD_ENDINGS: ReadonlySet<FinishReason> = new Set(['aborted', 'truncated', 'stalled', 'error']);

export function doneOf({ events }: Observation): DoneEvent | undefined {
  return events.find((event): event is DoneEvent => event.type === 'done');
}

export function errorOf({ events }: Observation): ErrorEvent | undefined {
  return events.find((event): event is ErrorEvent => event.type === 'error');
}

/** The stream says that the reply is whole. */
export function endsWell(seen: Observation): boolean {
  const done = doneOf(seen);
  return done !== undefined && !errorOf(seen) && !BAD_ENDINGS.has(done.finishReason);
}

export function textOf({ events }: Observation): string {
  return events.map(event => (event.type === 'token' ? event.text : '')).join('');
}

/** A value as a report shows it. */
export function shown(value: unknown): string | undefined {
  return JSON.stringify(value)?.slice(0, 200);
}
