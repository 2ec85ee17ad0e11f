// The gateway server: what its clients are promised, in each of its four protocols, streamed and not.
import { rowsOf } from './rows.mjs';

const before = fault => `faults-before-output › an upstream that ${fault}`;
const later = fault => `faults-mid-stream › an upstream that ${fault}* › is an honest error`;

const HONEST = 'An error status of its own, also for streams; nothing is billed.';
const BROKEN =
  'A stream gets the text, then an error and no good end; a whole answer is an error. What was used is billed once.';

export const UPSTREAMS = [
  ...rowsOf('Gateway: the upstream fails before its first output', [
    ['Refuses the connection', HONEST, before('refuses')],
    ['Resets before its headers', HONEST, before('resets')],
    ['429 with Retry-After', '429 with the same Retry-After; nothing is billed.', before('answers 429')],
    ['500', HONEST, before('answers 500')],
    ['503 with Retry-After', '503 (Anthropic: 529) with the same Retry-After.', before('answers 503')],
    ['529', '503 (Anthropic: 529), overloaded.', before('answers 529')],
    [
      'Does not take our key',
      '502: the client is not told that its own key is wrong.',
      before('does not take'),
    ],
    ['400', '400 to the client; nothing is billed.', before('answers 400')],
    ['Sends no headers in time', '504, within the time configured.', before('sends no headers')],
    ['Ends without a word, or says only the end', HONEST, before('ends its stream'), before('says [DONE]')],
    ['Error in its first event', HONEST, before('tells an error')],
    ['Malformed JSON first', HONEST, before('begins with half')],
    ['An event of 17 MB first', `${HONEST} It is not gathered.`, before('begins with an event')],
    ['A body that breaks off', HONEST, before('breaks off a body')],
    ['Wrong content type: a web page', HONEST, before('answers with a page')],
    [
      'The same for embeddings and count_tokens',
      'An error in the protocol’s form; a client that leaves stops the upstream.',
      'faults-other-routes › ',
    ],
  ]),
  ...rowsOf('Gateway: the upstream fails in mid-answer', [
    ['Stalls after an event', BROKEN, later('stalls')],
    ['End of the body without an end signal', BROKEN, later('ends its body')],
    ['Resets the connection', BROKEN, later('resets')],
    ['Error in a later event', BROKEN, later('tells an error')],
    ['Malformed JSON in mid-answer', BROKEN, later('sends half')],
    ['An event of 17 MB in mid-answer', BROKEN, later('sends an event')],
    [
      'The broken stream on the wire',
      'The last chunk of HTTP is missing and the connection is closed: no client can take it for whole.',
      'faults-mid-stream › a stream that broke off',
    ],
    [
      'Taken up by another provider (`continue`, `restart`)',
      'The answer is whole, or an error; never half of it as a success.',
      'faults-mid-stream › an answer that broke off',
    ],
  ]),
  ...rowsOf('Gateway: tool calls', [
    [
      'Pieces doubled, mixed, late, without id',
      'The calls come out whole, each once.',
      'faults-tool-calls › a tool call whose pieces',
    ],
    [
      'A piece of arguments that comes twice',
      'It is told as it came; nobody mends it.',
      'faults-tool-calls › a piece of arguments',
    ],
    [
      'Half a tool call',
      'An error; nobody goes on with it. Only where the client has seen nothing of it another provider begins anew.',
      'faults-tool-calls › half',
    ],
  ]),
];

export const PROVIDERS = rowsOf('Gateway: several providers', [
  [
    'Two providers fail, a third answers',
    'The client gets a whole answer and is told who gave it; it is billed once.',
    'faults-fallback › two providers',
  ],
  [
    'All providers fail',
    'One error that says when to come back; nothing is billed.',
    'faults-fallback › providers that all',
  ],
  ['A node fails', 'Another node answers; its slot is free again.', 'faults-fallback › a node that fails'],
  [
    'Retries at one provider',
    'They are told beside the one that went well, paid once, and not made when there is no time.',
    'faults-fallback › tries at one',
  ],
  [
    'The client’s own deadline (`x-gateway-timeout`)',
    'It holds for all providers together, and ends an answer that has begun.',
    'faults-fallback › x-gateway-timeout',
  ],
]);

export const CLIENTS = rowsOf('Gateway: clients', [
  [
    'Disconnects before any answer',
    'The upstream is stopped, nobody else is asked, nothing is billed.',
    'faults-client-gone › a client that leaves › before',
  ],
  [
    'Disconnects during the answer',
    'The upstream is stopped, nothing is tried again, and what was used is billed.',
    'faults-client-gone › a client that leaves › during',
  ],
  [
    'Disconnects while the gateway waits or asks the next provider',
    'That is the end of the tries.',
    'faults-client-gone › a client that leaves › while',
  ],
  [
    'Disconnects and holds a slot, or waits for one',
    'The slot is free, and the place in the queue is gone.',
    'faults-client-gone › a slot',
  ],
  [
    'The upstream ignores the disconnect',
    'It keeps nothing of the gateway: no slot, no budget, no call under way.',
    'faults-client-gone-elsewhere › an upstream that goes on',
  ],
  [
    'Half-closed and pipelined connections',
    'Who closes its side has left; pipelined calls are answered in order, and broken off together.',
    'faults-client-gone-elsewhere › a client',
  ],
  [
    'Reads slowly, or not at all',
    'The upstream waits, memory stays bounded, and who does not read is cut off in time.',
    'faults-slow-client › ',
  ],
  [
    'A slow upstream, a pause, a queue for a slot',
    'Comments keep the stream alive, and an error behind them is still an error.',
    'faults-waiting › ',
  ],
  [
    'Official clients (openai-node, Anthropic SDK, AI SDK)',
    'They throw on every fault; none takes a broken answer for whole, and none retries a spent budget.',
    'faults-sdk › ',
  ],
  [
    'All faults at once, mixed',
    'No call hangs, none is taken for what it is not, and the books agree.',
    'faults-at-once › ',
  ],
]);

export const LIMITS = rowsOf('Gateway: limits and the cache', [
  ['Too many calls at once', '429 with Retry-After; other keys go on.', 'faults-limits › calls at once'],
  [
    'Requests and tokens a minute',
    'They count down in the headers, each key for itself, by what was really used.',
    'faults-limits › requests a minute',
    'faults-limits › tokens a minute',
  ],
  [
    'A budget that is used up',
    '429 that says not to try again; the upstream is not asked, other keys go on, `spent` is the bill.',
    'faults-limits › a budget',
  ],
  [
    'The cache',
    'A hit costs nothing; a broken answer is never kept; nobody waits for a slow one.',
    'faults-cache › ',
  ],
]);

export const REQUESTS = rowsOf('Gateway: bad requests and secrets', [
  [
    'Bodies that are too large, no JSON, or no call',
    'Refused in the protocol’s form; nobody is asked.',
    'faults-requests › * › refuses what',
  ],
  ['An unknown key, or none', '401, before the body has come.', 'faults-requests › * › refuses a'],
  [
    'Unknown routes, broken headers, request smuggling',
    'A plain 4xx in our words; the upstream is not asked.',
    'faults-requests › a route',
    'faults-requests › headers',
  ],
  [
    'Connections after errors',
    'They are used again where they can be, and closed where they cannot.',
    'faults-requests › a connection',
  ],
  [
    'An upstream that tells our key; a client that wants another upstream',
    'The key is told nobody; the client cannot choose where a call goes.',
    'faults-secrets › ',
  ],
]);
