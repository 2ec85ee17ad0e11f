// What is asked of each row. `everyMs`: one event a write, so many milliseconds after the one before; else all events in
// one write. `perSecond`: so many requests a second; else the next one as soon as the last one on its connection has ended.

const streamed = (events, connections, more = {}) => ({
  name: `${events} events${more.everyMs ? ', one a write' : ''}, ${connections} ${connections === 1 ? 'connection' : 'connections'}${
    more.perSecond ? `, ${more.perSecond} requests/s` : ''
  }`,
  stream: true,
  events,
  connections,
  ...more,
});

export const ONE = streamed(20, 1);
export const SIXTEEN = streamed(20, 16);
export const FULL = streamed(20, 64);
export const FULL_LONG = streamed(200, 64);
/** As a model writes that makes 200 tokens a second: no server finds two events in one read. */
const EVERY = { everyMs: 5 };
export const TRICKLE = streamed(20, 64, EVERY);
export const TRICKLE_LONG = streamed(200, 64, EVERY);
/** Less than half of what the slowest row can do, so that the latency is that of the work and not of the queue. */
export const PACED = streamed(20, 16, { perSecond: 400, minMs: 3_000 });
export const JSON_16 = { name: 'not streamed, 16 connections', stream: false, events: 20, connections: 16 };

export const SCENARIOS = [ONE, SIXTEEN, FULL, FULL_LONG, PACED, TRICKLE, TRICKLE_LONG, JSON_16];

/** Pairs whose slope is the cost of an event. */
export const SLOPES = [
  { name: 'all in one write', few: FULL, many: FULL_LONG },
  { name: 'one a write', few: TRICKLE, many: TRICKLE_LONG },
];

export const OPEN = { name: 'open streams', stream: true, streams: 2_000, everyMs: 2_000 };
