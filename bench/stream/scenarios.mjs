// What is streamed. `events` is per call; a round is `streams` lines at once, each with `calls` calls in turn.

const text = (perWrite, streams) => ({
  name: `text, ${perWrite} per write, ${streams} ${streams === 1 ? 'stream' : 'streams'}`,
  kind: 'text',
  events: Math.ceil(20_000 / streams),
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

export const TEXT_50 = text(50, 1);
export const TEXT_1 = text(1, 1);
export const TEXT_50_WIDE = text(50, 64);
export const TEXT_1_WIDE = text(1, 64);
export const TOOLS_8000 = tools(8000, 1);
export const TOOLS_1000 = tools(1000, 8);

export const SCENARIOS = [TEXT_50, TEXT_1, TEXT_50_WIDE, TEXT_1_WIDE, TOOLS_8000, TOOLS_1000];
