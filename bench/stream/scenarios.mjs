// What is streamed. `events` is per call; a round is `streams` lines at once, each with `calls` calls in turn.

const text = (perWrite, streams, events) => ({
  name: `text, ${perWrite} per write, ${streams} ${streams === 1 ? 'stream' : 'streams'}`,
  kind: 'text',
  events,
  perWrite,
  streams,
  calls: 1,
});

const tools = (events, calls) => ({
  name: `tool arguments, ${events} fragments a call`,
  kind: 'tools',
  events,
  perWrite: 50,
  streams: 1,
  calls,
});

export const TEXT_50 = text(50, 1, 20_000);
export const TEXT_1 = text(1, 1, 20_000);
export const TEXT_50_WIDE = text(50, 64, 2_500);
export const TEXT_1_WIDE = text(1, 64, 313);
/** Where a server puts something new into every event, none can be read by what it has in common with the one before. */
export const NUMBERED_50 = { ...TEXT_50, kind: 'numbered', name: `${TEXT_50.name}, numbered events` };

export const TOOLS_8000 = tools(8000, 1);
export const TOOLS_1000 = tools(1000, 8);

/** What a call costs beside its events: here a figure per event is one per call. */
export const CALLS = { ...text(1, 64, 1), name: 'answers of 1 event, 64 streams', calls: 5 };

export const SCENARIOS = [
  TEXT_50,
  TEXT_1,
  TEXT_50_WIDE,
  TEXT_1_WIDE,
  NUMBERED_50,
  TOOLS_8000,
  TOOLS_1000,
  CALLS,
];
