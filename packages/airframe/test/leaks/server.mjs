// A backend in a process of its own, so that the memory measured is the client's alone. What it does stands in the
// request as the model's name, with `.gz` behind it for a compressed answer; any message from the parent process is answered with the figures so far.
import { createServer } from 'node:http';
import { createGzip } from 'node:zlib';

const event = (content, finish = null, more = {}) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }], ...more })}\n\n`;
const END = `${event('', 'stop')}data: [DONE]\n\n`;
const FEW = event('a').repeat(5);
/** 50 events of two kilobytes; OpenAI pads its own under this name. */
const FIFTY = Buffer.from(event('word ', null, { obfuscation: 'x'.repeat(2_000) }).repeat(50));

const MODELS = {
  short: response => response.end(event('a').repeat(8) + END),
  /** Refuses each seed once. */
  flaky: (response, seed) => {
    if (refused.delete(seed)) return MODELS.short(response);
    refused.add(seed);
    response.writeHead(503, { 'retry-after-ms': '1' }).end('{}');
  },
  /** A few events now and then, until the client leaves. */
  endless: response => {
    const timer = setInterval(() => response.write(FEW), 10);
    response.on('close', () => clearInterval(timer));
    response.write(FEW);
  },
  /** Never answers. */
  silent: () => {},
  '20MB': response => send(response, FIFTY, 20e6),
  '200MB': response => send(response, FIFTY, 200e6),
};

const refused = new Set();
const figures = { requests: 0, sockets: 0, written: 0 };
/** Responses that may not write on → since when, in milliseconds. */
const waiting = new Map();

/** As fast as the client reads. */
function send(response, piece, bytes) {
  let left = bytes;
  const more = () => {
    waiting.delete(response);
    while (left > 0 && !response.destroyed) {
      left -= piece.length;
      figures.written += piece.length;
      if (!response.write(piece)) {
        waiting.set(response, performance.now());
        return;
      }
    }
    response.end(END);
  };
  response.on('drain', more);
  response.on('close', () => waiting.delete(response));
  more();
}

function zipped(response) {
  const gzip = createGzip({ level: 1 });
  response.on('close', () => gzip.destroy());
  gzip.pipe(response);
  return gzip;
}

const server = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  const { model, seed } = JSON.parse(text);
  figures.requests++;
  response.setHeader('content-type', 'text/event-stream');
  const gzip = model.endsWith('.gz');
  if (gzip) response.setHeader('content-encoding', 'gzip');
  MODELS[model.replace('.gz', '')](gzip ? zipped(response) : response, seed);
});
server.on('connection', socket => {
  figures.sockets++;
  socket.on('close', () => figures.sockets--);
});
// Idle connections are gone soon, and with them the memory they need.
server.keepAliveTimeout = 2_000;
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('message', () => {
  const stuck = [...waiting.values()].filter(since => performance.now() - since > 500);
  process.send({ ...figures, waiting: stuck.length });
});
process.on('disconnect', () => process.exit());
