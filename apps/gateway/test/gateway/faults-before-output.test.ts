// Upstreams that fail before they have said anything: the error still has a status of its own, in streams as well.
import { describe, expect, it } from 'vitest';
import type { Script } from '../../../../test/scripted-server.ts';
import { type Answer, call, closedUrl } from '../faults/client.ts';
import { billed, gatewayOver, recordOf } from '../faults/gateway.ts';
import { MODES, read } from '../faults/protocols.ts';
import { HUGE, silent, status, upstream } from '../faults/upstream.ts';

interface Row {
  fault: string;
  /** undefined: nobody listens there. */
  script: Script | undefined;
  /** What the client gets. */
  status: number;
  category: string;
  /** What its protocol calls it: OpenAI's of Chat Completions, and Anthropic's. */
  types: [openai: string, anthropic: string];
  retryAfter?: string;
  /** Of the provider, in seconds. */
  timeout?: number;
}

const server = { status: 502, types: ['server_error', 'api_error'] as [string, string] };

const page: Script = response => {
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end('<html><p>It works!</p></html>');
};
const empty: Script = response => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end();
};
/** The body of an upstream that does not stream, which breaks off. */
const halfBody: Script = response => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"choices":[{"message":{"content":"Hello"}}', () => response.socket?.destroySoon());
};
const busy = {
  status: 503,
  category: 'overloaded',
  types: ['overloaded_error', 'overloaded_error'],
} as const;

const rows: Row[] = [
  { fault: 'refuses the connection', script: undefined, ...server, category: 'connection' },
  {
    fault: 'resets before its headers',
    script: upstream(up => up.reset()),
    ...server,
    category: 'connection',
  },
  {
    fault: 'answers 429 with Retry-After',
    script: status(429, { 'retry-after': '7' }),
    ...{
      status: 429,
      category: 'rate_limit',
      types: ['rate_limit_error', 'rate_limit_error'],
      retryAfter: '7',
    },
  },
  { fault: 'answers 500', script: status(500), ...server, category: 'backend' },
  {
    fault: 'answers 503 with Retry-After',
    script: status(503, { 'retry-after': '2' }),
    ...busy,
    types: [...busy.types],
    retryAfter: '2',
  },
  { fault: 'answers 529', script: status(529), ...busy, types: [...busy.types] },
  { fault: 'does not take our key', script: status(401), ...server, category: 'auth' },
  {
    fault: 'answers 400',
    script: status(400),
    ...{
      status: 400,
      category: 'invalid_request',
      types: ['invalid_request_error', 'invalid_request_error'],
    },
  },
  {
    fault: 'sends no headers in time',
    script: silent,
    timeout: 0.2,
    ...{ status: 504, category: 'timeout', types: ['timeout_error', 'timeout_error'] },
  },
  { fault: 'ends its stream without a word', script: empty, ...server, category: 'connection' },
  {
    fault: 'says [DONE] and nothing else',
    script: upstream(up => up.done()),
    ...server,
    category: 'connection',
  },
  {
    fault: 'tells an error in its first event',
    script: upstream(up => up.error('no').done()),
    ...{ ...server, category: 'backend' },
  },
  {
    fault: 'begins with half of a JSON value',
    script: upstream(up => up.event('{"choices":[').done()),
    ...{ ...server, category: 'parse' },
  },
  {
    fault: 'begins with an event without end',
    script: upstream(up => up.say(HUGE).finish().done()),
    ...{ ...server, category: 'parse' },
  },
  { fault: 'breaks off a body that is no stream', script: halfBody, ...server, category: 'connection' },
  { fault: 'answers with a page', script: page, ...server, category: 'parse' },
];

describe.each(rows)('an upstream that $fault', row => {
  it.each(MODES)('is an honest error in $mode', async ({ protocol, stream }) => {
    const gateway = await gatewayOver([row.script ? [row.script] : await closedUrl()], row);
    const answer = await call(gateway.url, { path: protocol.path, body: protocol.ask(stream) });
    expect(read(protocol, answer, stream)).toMatchObject({ outcome: 'error' });
    // Anthropic has a status of its own for it.
    const status = protocol.name === 'messages' && row.status === 503 ? 529 : row.status;
    expect(answer.status).toBe(status);
    expectWords(answer, row, protocol.name);
    expect(answer.headers['x-gateway-attempts']).toBe('1');
    expect(answer.headers['x-gateway-cost-usd']).toBe('0');
    expect(answer.headers['retry-after']).toBe(row.retryAfter);
    const record = await recordOf(gateway, answer.headers['x-request-id']);
    expect(record).toMatchObject({ state: 'failed', status, stream });
    expect(record.error?.category).toBe(row.category);
    expect(record.attempts).toMatchObject([{ provider: 'up0', outcome: row.category }]);
    expect(await billed(gateway, record)).toEqual({ prompt: 0, completion: 0, usd: 0 });
    expect(gateway.upstreams.map(({ seen }) => seen.length)).toEqual(row.script ? [1] : []);
  });
});

function expectWords({ text }: Answer, { types: [openai, anthropic] }: Row, protocol: string): void {
  const { error } = JSON.parse(text);
  expect(error.type).toBe(protocol === 'messages' ? anthropic : openai);
}
