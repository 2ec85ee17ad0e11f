// The load generator, in a process of its own. Each message asks for one thing of a server: an answer that is looked
// at closely, answers for a time, or streams that stay open.
import { setTimeout as sleep } from 'node:timers/promises';
import { answerParent } from '../child.mjs';
import { countPieces, glance, inspect } from './answer.mjs';
import { quantile } from './figures.mjs';
import { openLine } from './line.mjs';
import { modelOf } from './workload.mjs';

const PROMPT = [
  {
    role: 'system',
    content: 'You are the duty officer of a small airfield. Answer in two or three short sentences.',
  },
  {
    role: 'user',
    content: 'The wind has turned and the cloud base is down to 800 feet. What do we tell the crews?',
  },
];

/** The bytes of a request. */
function requestOf({ origin, headers, events, everyMs, stream }) {
  const body = JSON.stringify({
    model: modelOf({ events, everyMs }),
    messages: PROMPT,
    temperature: 0.2,
    max_tokens: 1024,
    ...(stream && { stream: true, stream_options: { include_usage: true } }),
  });
  const lines = Object.entries({
    host: new URL(origin).host,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(['POST /v1/chat/completions HTTP/1.1', ...lines, '', body].join('\r\n'));
}

/** Makes one call. @returns the answer, and when its first and its last byte came, in milliseconds from `since` */
async function call(line, request, since) {
  const parts = [];
  let firstAt;
  const { status } = await line.exchange(request, part => {
    firstAt ??= performance.now();
    parts.push(part);
  });
  const lastAt = performance.now();
  const body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
  return { status, body, first: (firstAt ?? lastAt) - since, last: lastAt - since };
}

async function look(ask) {
  const line = await openLine(new URL(ask.origin));
  try {
    inspect({ ...(await call(line, requestOf(ask), 0)), ...ask });
  } finally {
    line.close();
  }
  return {};
}

/**
 * Calls for a time on so many connections: the next one as the last has ended, or so many a second.
 * @param perSecond of all connections; a call that must wait for the last one on its connection has the wait in its times
 */
async function calls({ connections, perSecond, ms, ...ask }) {
  const request = requestOf(ask);
  const lines = await Promise.all(Array.from({ length: connections }, () => openLine(new URL(ask.origin))));
  const [first, last] = [[], []];
  const began = performance.now();
  const work = async (line, at) => {
    const everyMs = perSecond && (connections / perSecond) * 1000;
    let due = began + (at / connections) * (everyMs ?? 0);
    for (let free = began; performance.now() < began + ms; due += everyMs ?? 0) {
      const waitMs = everyMs ? due - performance.now() : 0;
      if (waitMs > 0) await sleep(waitMs);
      const since = everyMs && free > due ? due : performance.now();
      const answer = await call(line, request, since);
      glance({ ...answer, ...ask });
      first.push(answer.first);
      last.push(answer.last);
      free = performance.now();
    }
  };
  try {
    await Promise.all(lines.map(work));
  } finally {
    for (const line of lines) line.close();
  }
  const tookMs = performance.now() - began;
  const quantiles = times => ({ p50: quantile(times, 0.5), p99: quantile(times, 0.99) });
  return { requests: last.length, tookMs, first: quantiles(first), last: quantiles(last) };
}

let open = [];

/** Opens so many streams; each has begun then. */
async function opened({ streams, ...ask }) {
  const request = requestOf(ask);
  open = [];
  let failure;
  while (open.length < streams && !failure) {
    // A few at a time: a server's queue of connections to accept has its bounds.
    const some = Array.from({ length: Math.min(50, streams - open.length) }, async () => {
      const line = await openLine(new URL(ask.origin));
      const stream = { line, pieces: 0 };
      open.push(stream);
      await new Promise((resolve, reject) => {
        const take = part => {
          stream.pieces += countPieces(part);
          if (stream.pieces > 0) resolve();
        };
        line.exchange(request, take).then(
          ({ status }) => reject(new Error(`a stream ended with status ${status}`)),
          error => {
            stream.failure = error.message;
            reject(error);
          },
        );
      });
    });
    await Promise.all(some).catch(error => {
      failure = error;
    });
  }
  if (failure) {
    closed();
    throw failure;
  }
  return {};
}

/** How the open streams are: how many still live, and the fewest and most pieces that one of them has received. */
function counted() {
  const pieces = open.map(stream => stream.pieces);
  return {
    living: open.filter(({ failure }) => failure === undefined).length,
    fewest: Math.min(...pieces),
    most: Math.max(...pieces),
  };
}

function closed() {
  for (const { line } of open) line.close();
  open = [];
  return {};
}

const tasks = { look, calls, opened, counted, closed };
answerParent({}, ({ task, ...ask }) => tasks[task](ask));
