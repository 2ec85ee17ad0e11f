// The scripted upstream: chat completions in OpenAI's protocol, whose text and timing the name of the model tells.
// By hand: `node bench/gateway/upstream.mjs [PORT]`, and a base URL of http://127.0.0.1:PORT/v1.
import { createServer } from 'node:http';
import { answerParent } from '../child.mjs';
import { replyOf, streamOf, workloadOf } from './workload.mjs';

const NEEDS = 'models are script-EVENTS (all at once) and script-EVENTS-every-MILLISECONDS';

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', part => parts.push(part));
  request.on('end', () => answer(request, Buffer.concat(parts).toString(), response));
});

function answer({ url }, text, response) {
  if (!url.endsWith('/chat/completions')) return refuse(response, 404, `nothing is served at ${url}`);
  const { model, stream } = parsed(text) ?? {};
  const workload = workloadOf(model);
  if (!workload) return refuse(response, 400, `model ${JSON.stringify(model)} is none of these: ${NEEDS}`);
  if (!stream) return send(response, 200, 'application/json', replyWith(model, workload.events));
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  if (workload.everyMs === undefined) response.end(wholeWith(model, workload.events));
  else trickle(response, streamWith(model), workload);
}

/** One event a write, each `everyMs` milliseconds after the one before; the first one at once. */
function trickle(response, { first, piece, last }, { events, everyMs }) {
  let at = 1;
  response.write(first);
  response.write(piece(0));
  const ticking = setInterval(() => {
    if (at < events) response.write(piece(at++));
    else response.end(last(events));
  }, everyMs);
  response.on('close', () => clearInterval(ticking));
}

function refuse(response, status, message) {
  const error = { message, type: 'invalid_request_error', param: null, code: null };
  send(response, status, 'application/json', JSON.stringify({ error }));
}

function send(response, status, type, body) {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is sent often is made once: the upstream takes its CPU time from the gateways that are measured. */
function remember(make) {
  const made = new Map();
  return (...key) => {
    const name = key.join(' ');
    if (!made.has(name)) made.set(name, make(...key));
    return made.get(name);
  };
}

const replyWith = remember((model, events) => Buffer.from(replyOf(model, events)));
const streamWith = remember(model => {
  const { first, piece, last } = streamOf(model);
  return { first, piece: remember(piece), last };
});
const wholeWith = remember((model, events) => {
  const { first, piece, last } = streamOf(model);
  const pieces = Array.from({ length: events }, (_, at) => piece(at));
  return Buffer.from([first, ...pieces, last(events)].join(''));
});

// Rows wait for their turns; none is to find its connection closed by the server.
server.keepAliveTimeout = 0;
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const origin = `http://127.0.0.1:${server.address().port}`;
  if (process.send) answerParent({ origin }, () => ({}));
  else console.log(`${origin}/v1: ${NEEDS}`);
});
