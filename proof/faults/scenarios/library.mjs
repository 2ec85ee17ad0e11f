// The libraries: what a caller of `streamInfer`, `complete` and `completeStream` is promised.
import { rowsOf } from './rows.mjs';

const kit = name => `adapters › * conforms to the stream contract › ${name}`;
const ERROR = 'The stream ends with an error event and `done`; it never looks like a success.';

export const AIRFRAME = [
  ...rowsOf('Library: the backend fails', [
    [
      'Nobody listens at the address',
      'A connection error that may be tried again.',
      kit('nobody listens at the address'),
    ],
    ['Reset before the answer', 'A connection error, with no output.', kit('a reset before the answer')],
    [
      'Reset in the middle of an answer',
      'What came is kept, and the ending says that it is not whole.',
      kit('a reset at the first byte'),
      kit('a reset within an event'),
      kit('a socket that hangs up'),
    ],
    [
      '429 with Retry-After',
      'A rate limit; the wait is read in seconds, parts of them, milliseconds and as a date.',
      kit('429'),
    ],
    [
      '500, 502, 503, 529',
      'Each has its category; what may be tried again says so.',
      kit('500'),
      kit('502'),
      kit('503'),
      kit('529'),
    ],
    [
      '400, 401, 404, and an error without a body',
      'Each has its category and is not tried again.',
      kit('400'),
      kit('401'),
      kit('404'),
      kit('an error without a body'),
    ],
    [
      'Silence before the answer',
      'The deadline for headers ends the call as a timeout.',
      kit('silence before the answer'),
    ],
    [
      'Silence in mid-answer',
      'The idle deadline ends the call as `stalled`; what came is kept.',
      kit('silence in mid-answer'),
    ],
    ['An answer that never ends', 'The total deadline ends it.', kit('the total deadline')],
    [
      'End of the body without an end signal',
      'The ending is `truncated` and an error, never `stop`.',
      kit('an answer that ends without'),
      kit('an answer without a byte'),
    ],
    ['An error as the first event of a 200', ERROR, kit('a failure as the first event')],
    [
      'An error in a later event',
      'The text before it is kept, the error is told, and the connection is given up.',
      kit('a failure in mid-answer'),
      kit('an error in an answer of status 200'),
    ],
    [
      'Malformed JSON, garbage, or a web page in place of an answer',
      'A parse error.',
      kit('an event that is not JSON'),
      kit('garbage under'),
      kit('a page where'),
    ],
    [
      'An event of a megabyte, and one over the bound',
      'Up to the bound it is read; over it, a parse error, and what came before is kept.',
      kit('an event of a megabyte'),
      kit('an event over the bound'),
    ],
    ['A redirect', 'It is not followed: a key goes to no other host.', kit('a redirect')],
    [
      'Bytes cut anywhere, odd line ends, comments, gzip',
      'The events are the same as those of the whole stream.',
      kit('one byte at a time'),
      kit('characters split'),
      kit('a slow drip'),
      kit('lines that end'),
      kit('comments and blank lines'),
      kit('a gzipped'),
      kit('a last event without'),
    ],
    [
      'Tool call pieces doubled, late, without index or id',
      'The calls come out whole, each once.',
      'quirks-tool-calls › tool calls',
      kit('parallel tool calls'),
      kit('tool calls cut into single bytes'),
    ],
    [
      'The answer is cut at the token limit',
      'The ending is `length`, which callers can tell from `stop`.',
      kit('a reply cut at the token limit'),
    ],
    [
      'A content filter strikes, also after `stop`',
      'The ending is `content_filter`, which callers can tell from `stop`.',
      'quirks › choices and deltas › a content filter',
    ],
  ]),
  ...rowsOf('Library: the caller goes', [
    [
      'Abort or leave, before and in mid-answer',
      'The backend sees its connection closed; the ending is `aborted`.',
      kit('an abort'),
      kit('leaving'),
      kit('closing the adapter ends'),
    ],
    [
      'A caller that does not read',
      'The backend has to wait: nothing is gathered in memory.',
      kit('a caller who does not read'),
    ],
    ['Any of these endings', 'No timer, listener or open request stays behind.', 'leftovers › '],
  ]),
  ...rowsOf('Library: retries', [
    [
      'A failure before the first output',
      'It is tried again, at most as often as allowed, waiting as long as the backend asks; every try is in the log.',
      'retry › withRetry › tries again before',
      'retry › withRetry › gives up after maxRetries',
      'retry › withRetry › waits as long as',
    ],
    [
      'A failure after the first output',
      'It is never tried again: no text comes twice.',
      'retry › withRetry › never tries again after',
    ],
    [
      '`Retry-After` is longer than the time that is left',
      'The call gives up at once, and never tries sooner than asked.',
      'retry › withRetry › gives up at once when',
      'retry › withRetry › never tries sooner',
      'retry › withRetry › makes no other try',
    ],
    [
      'One deadline over all tries',
      'Each try gets what is left of it.',
      'retry › withRetry › passes each try',
      'gateway › fallback › has one deadline',
    ],
  ]),
];

export const AVIONICS = rowsOf('Library: money, fallback and nodes', [
  [
    'A budget is used up',
    'The call is refused before any provider is asked, with the rule, the amounts and when to come again.',
    'limits › a gateway with limits › refuses calls once',
    'limiter › a limiter › says which rule',
  ],
  [
    'Many calls at once at a limit',
    'Never more than the limit lets through, whatever runs at once.',
    'limiter › a limiter › never lets more than one call past',
  ],
  [
    'Failed and abandoned calls',
    'What they used is booked, and what was reserved beyond it is given back.',
    'limits › a gateway with limits › settles what failed',
    'limits › a gateway with limits › waits for its limiter',
  ],
  [
    'The store of the budgets fails',
    'As configured, calls are refused, or go on within what was left; no reservation is lost.',
    'limiter › a limiter whose store fails',
  ],
  [
    'A backend that lies about usage (fractions, nonsense)',
    'The answer is kept, and the books stay whole numbers.',
    'limits › a gateway with limits › loses no answer',
    'limiter › a limiter whose store fails › gives a settlement up',
  ],
  [
    'A quota callback stops the caller, or fails itself',
    'The next call is refused, a stream is stopped in the middle and the server with it; a check that fails counts as reached.',
    'stopping › the resource callback',
  ],
  [
    'A caller breaks off or aborts',
    'The server is stopped, what was used is accounted for, no other provider is asked.',
    'stopping › a break',
    'stopping › an abort',
  ],
  [
    'A provider fails before its first output',
    'The next one is asked, and both are counted.',
    'gateway › fallback › asks the next provider',
    'gateway › fallback › asks another provider when the first is set up',
  ],
  [
    'The request itself is wrong',
    'No other provider is asked to repeat the mistake.',
    'gateway › fallback › does not ask another provider',
  ],
  ['All providers fail', 'One error names them all.', 'gateway › fallback › names all providers'],
  [
    'An answer breaks off',
    'By default it fails and is paid for; a policy may continue it or begin it anew, and the seam is shown.',
    'mid-stream › an answer that breaks off',
  ],
  [
    'A provider keeps failing',
    'Its circuit opens, it is passed over and the response says so; one call at a time finds out when it is back.',
    'mid-stream › a provider that keeps failing',
    'mid-stream › a circuit',
    'breaker › ',
  ],
  [
    'A node of a pool keeps failing',
    'It is put out at once when it cannot be reached, longer each time, and let in again on probation.',
    'ejection › ',
  ],
  [
    'A provider breaks the stream contract',
    'The call ends in an error all the same.',
    'stopping › a provider that breaks',
  ],
]);
