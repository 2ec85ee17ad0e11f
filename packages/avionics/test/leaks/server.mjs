// Two cloud APIs in a process of its own: Chat Completions, which tells its usage with each chunk, and Messages. What
// becomes of a stream stands in its prompt (plan.ts). Answers stop at their first piece while the parent holds them.
import { createServer } from 'node:http';

const BUSY = { 'content-type': 'application/json', 'retry-after-ms': '1' };
/** Sent at once, for the sake of speed and so that events come several in a packet. */
const PIECES_A_WRITE = 8;

const sent = () => ({ promptTokens: 0, completionTokens: 0 });
const figures = {
  open: 0,
  mostOpen: 0,
  sockets: 0,
  providers: { openai: sent(), anthropic: sent() },
  agents: {},
};
/** Ids refused once. */
const refused = new Set();
/** Answers that wait for the parent's word; undefined: none has to. */
let held;
/** Id → answer to be reset when the parent says so: its consumer has all of it then. */
const resets = new Map();

const DIALECTS = {
  openai: {
    head: () => '',
    piece: (content, usage) =>
      data({ ...CHUNK, choices: [{ index: 0, delta: { content } }], usage: wire(usage) }),
    end: usage =>
      data({ ...CHUNK, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: wire(usage) }) +
      'data: [DONE]\n\n',
  },
  anthropic: {
    head: ({ promptTokens }) =>
      data({
        type: 'message_start',
        message: { ...MESSAGE, usage: { input_tokens: promptTokens, output_tokens: 1 } },
      }) + data({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    piece: text => data({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    end: ({ completionTokens }) =>
      data({ type: 'content_block_stop', index: 0 }) +
      data({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn' },
        usage: { output_tokens: completionTokens },
      }) +
      data({ type: 'message_stop' }),
  },
};
const CHUNK = { id: 'c1', object: 'chat.completion.chunk', model: 'gpt-4' };
const MESSAGE = { id: 'm1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content: [] };
const data = event => `data: ${JSON.stringify(event)}\n\n`;
const wire = ({ promptTokens, completionTokens }) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});

function isRefused(provider, { fate, id }) {
  if (fate === 'busy_once' && !refused.delete(id)) return Boolean(refused.add(id));
  return fate === 'down' || (fate === 'busy' && provider === 'openai');
}

async function answer(response, provider, plan, from) {
  const dialect = DIALECTS[provider];
  const to = provider === 'openai' ? (plan.cut ?? plan.pieces) : plan.pieces;
  const own = { promptTokens: plan.promptTokens + from, completionTokens: 0 };
  figures.agents[plan.agent] ??= sent();
  const books = [figures.providers[provider], figures.agents[plan.agent]];
  for (const book of books) book.promptTokens += own.promptTokens;
  const pieces = (first, last) => {
    let text = '';
    for (let at = first; at < last; at++) {
      own.completionTokens++;
      for (const book of books) book.completionTokens++;
      text += dialect.piece(` ${plan.id}.${at}`, own);
    }
    return text;
  };
  if (plan.fate === 'reset' && to === plan.cut) resets.set(plan.id, response);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(dialect.head(own) + pieces(from, from + 1));
  if (held) await new Promise(go => held.push(go));
  for (let at = from + 1; at < to; at += PIECES_A_WRITE) {
    response.write(pieces(at, Math.min(to, at + PIECES_A_WRITE)));
    await new Promise(setImmediate);
  }
  if (to === plan.pieces) response.end(dialect.end(own));
}

const textIn = ({ content }) =>
  typeof content === 'string' ? content : content.map(({ text }) => text).join('');

const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const { messages } = JSON.parse(body);
  const provider = request.url === '/v1/messages' ? 'anthropic' : 'openai';
  const plan = JSON.parse(textIn(messages[0]));
  if (isRefused(provider, plan)) return response.writeHead(503, BUSY).end('{"error":{"message":"busy"}}');
  figures.open++;
  response.on('close', () => figures.open--);
  const before = messages.find(({ role }) => role === 'assistant');
  await answer(response, provider, plan, before ? textIn(before).trim().split(' ').length : 0);
});
server.on('connection', socket => {
  figures.sockets++;
  socket.on('close', () => figures.sockets--);
});
// Idle connections are gone soon, and with them the memory they need.
server.keepAliveTimeout = 300;
server.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, () => process.send(server.address().port));

process.on('message', message => {
  if (message === 'figures') process.send(figures);
  else if (message.hold) held = [];
  else if (message.release) {
    for (const go of held) go();
    held = undefined;
  } else if (message.reset !== undefined) {
    resets.get(message.reset).socket.resetAndDestroy();
    resets.delete(message.reset);
  }
});
process.on('disconnect', () => process.exit());
