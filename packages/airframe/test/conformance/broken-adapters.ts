import {
  type Adapter,
  AirframeError,
  createHttp,
  type DoneEvent,
  type HttpFn,
  type InferenceStream,
  type InferenceStreamEvent,
  openAIChatAdapter,
} from '@x/airframe';
import { CONFORMANCE_KEY } from '@x/airframe/conformance';

/** One mistake in an adapter that is right otherwise. */
export interface BrokenAdapter {
  mistake: string;
  adapter: () => Adapter;
  /** The case that shows it. */
  in: string;
  /** The invariants that it breaks there, and no others. */
  breaks: string[];
}

type Events = AsyncIterable<InferenceStreamEvent>;

/** openai_chat with its events changed on their way out. */
function changed(change: (events: Events) => AsyncGenerator<InferenceStreamEvent, undefined>): () => Adapter {
  return wrapped(
    inner => Object.assign(change(inner), { return: () => inner.return?.() }) as InferenceStream,
  );
}

function wrapped(wrap: (inner: InferenceStream) => InferenceStream, pass = true): () => Adapter {
  return () => {
    const adapter = openAIChatAdapter();
    return {
      ...adapter,
      streamInfer: (endpoint, request, options) =>
        wrap(adapter.streamInfer(endpoint, request, pass ? options : {})),
    } as Adapter;
  };
}

/** Each event by itself. */
function each(change: (event: InferenceStreamEvent) => InferenceStreamEvent[]): () => Adapter {
  return changed(async function* (events) {
    for await (const event of events) yield* change(event);
    return undefined;
  });
}

const onDone = (change: (done: DoneEvent) => DoneEvent): (() => Adapter) =>
  each(event => [event.type === 'done' ? change(event) : event]);

const without = (type: InferenceStreamEvent['type']): (() => Adapter) =>
  each(event => (event.type === type ? [] : [event]));

/** Keeps all that comes before it hands out the first. */
async function* hoarding(events: Events): AsyncGenerator<InferenceStreamEvent, undefined> {
  const kept: InferenceStreamEvent[] = [];
  let wake = () => {};
  const reading = (async () => {
    for await (const event of events) {
      kept.push(event);
      wake();
    }
  })();
  for (let at = 0; ; at++) {
    while (at >= kept.length) await Promise.race([reading, new Promise<void>(resolve => (wake = resolve))]);
    const event = kept[at];
    if (!event) return undefined;
    yield event;
    if (event.type === 'done') return undefined;
  }
}

function followingRedirects(): HttpFn {
  const http = createHttp();
  const follow: HttpFn = async request => {
    const response = await http(request);
    const { location } = response.headers;
    return location ? http({ ...request, url: new URL(location, request.url).href }) : response;
  };
  return Object.assign(follow, { close: () => http.close?.() });
}

const CUT = 'an answer that ends without its ending is truncated';
const GOOD = 'an answer in one piece is read';
const CALLS = 'parallel tool calls come out whole';

export const BROKEN_ADAPTERS: readonly BrokenAdapter[] = [
  {
    mistake: 'throws instead of an error event',
    adapter: changed(async function* (events) {
      for await (const event of events) {
        if (event.type === 'error') throw event.error;
        yield event;
      }
      return undefined;
    }),
    in: '401 is a matter of the key',
    breaks: ['never-throws'],
  },
  {
    mistake: 'never ends when the backend fails',
    adapter: changed(async function* (events) {
      for await (const event of events) {
        if (event.type === 'error') await new Promise(() => {});
        yield event;
      }
      return undefined;
    }),
    in: '401 is a matter of the key',
    breaks: ['never-hangs'],
  },
  {
    mistake: 'says done twice',
    adapter: each(event => (event.type === 'done' ? [event, event] : [event])),
    in: GOOD,
    breaks: ['done-once-and-last'],
  },
  { mistake: 'forgets done', adapter: without('done'), in: GOOD, breaks: ['done-once-and-last'] },
  {
    mistake: 'repeats a token behind the message',
    adapter: each(event => (event.type === 'message' ? [event, { type: 'token', text: '' }] : [event])),
    in: GOOD,
    breaks: ['events-in-order'],
  },
  {
    mistake: 'ends as error without an error event',
    adapter: without('error'),
    in: '401 is a matter of the key',
    breaks: ['error-with-bad-ending'],
  },
  {
    mistake: 'takes a cut answer for a whole one',
    adapter: changed(async function* (events) {
      let content = '';
      for await (const event of events) {
        if (event.type === 'token') content += event.text;
        if (event.type === 'error') yield { type: 'message', message: { role: 'assistant', content } };
        else if (event.type === 'done') {
          const attempts = event.attempts.map(attempt => ({ ...attempt, outcome: 'ok' as const }));
          const usage = {
            promptTokens: 21,
            completionTokens: 13,
            totalTokens: 34,
            source: 'reported' as const,
          };
          yield { ...event, finishReason: 'stop', attempts, usage };
        } else yield event;
      }
      return undefined;
    }),
    in: CUT,
    breaks: ['ending-is-true'],
  },
  {
    mistake: 'knows one category only',
    adapter: each(event => [
      event.type === 'error'
        ? { type: 'error', error: new AirframeError('unknown', event.error.message, { ...event.error }) }
        : event,
    ]),
    in: '401 is a matter of the key',
    breaks: ['error-is-classified'],
  },
  {
    mistake: 'forgets how long to wait',
    adapter: each(event => [
      event.type === 'error'
        ? {
            type: 'error',
            error: new AirframeError('rate_limit', 'slow down', { attempts: event.error.attempts }),
          }
        : event,
    ]),
    in: '429 with Retry-After in seconds',
    breaks: ['error-is-classified'],
  },
  {
    mistake: 'breaks characters of several bytes',
    adapter: each(event =>
      event.type === 'token' || event.type === 'message'
        ? [JSON.parse(JSON.stringify(event).replace(/[^\0-\x7f]/g, '?')) as InferenceStreamEvent]
        : [event],
    ),
    in: 'characters split between two writes come out whole',
    breaks: ['text-unchanged'],
  },
  {
    mistake: 'loses what came before a failure',
    adapter: changed(async function* (events) {
      const kept: InferenceStreamEvent[] = [];
      for await (const event of events) {
        kept.push(event);
        if (event.type === 'error') kept.splice(0, kept.length - 1);
      }
      yield* kept;
      return undefined;
    }),
    in: 'a failure in mid-answer is an error, and what came before it is kept',
    breaks: ['text-unchanged'],
  },
  {
    mistake: 'joins arguments twice',
    adapter: each(event => [
      event.type === 'tool_call_delta' ? { ...event, argumentsDelta: event.argumentsDelta.repeat(2) } : event,
    ]),
    in: CALLS,
    breaks: ['tool-calls-add-up'],
  },
  {
    mistake: 'merges parallel calls',
    adapter: each(event => (event.type === 'tool_call' && event.index > 0 ? [] : [event])),
    in: CALLS,
    breaks: ['tool-calls-add-up', 'message-when-whole'],
  },
  { mistake: 'forgets the message', adapter: without('message'), in: GOOD, breaks: ['message-when-whole'] },
  {
    mistake: 'counts the prompt only',
    adapter: onDone(done => ({ ...done, usage: { ...done.usage, totalTokens: done.usage.promptTokens } })),
    in: GOOD,
    breaks: ['usage-adds-up'],
  },
  {
    mistake: 'writes more to the cache for an hour than at all',
    adapter: onDone(done => ({
      ...done,
      usage: { ...done.usage, cacheWriteTokens: 1, cacheWrite1hTokens: 2 },
    })),
    in: GOOD,
    breaks: ['usage-adds-up'],
  },
  {
    mistake: 'guesses tokens that were reported',
    adapter: onDone(done => ({
      ...done,
      usage: { promptTokens: 5, completionTokens: 7, totalTokens: 12, source: 'estimated' },
    })),
    in: GOOD,
    breaks: ['usage-is-the-backends'],
  },
  {
    mistake: 'keeps no attempt log',
    adapter: onDone(done => ({ ...done, attempts: [] })),
    in: GOOD,
    breaks: ['attempts-logged'],
  },
  {
    mistake: 'measures in the wrong direction',
    adapter: onDone(done => ({ ...done, timings: { totalMs: -done.timings.totalMs } })),
    in: GOOD,
    breaks: ['timings-hold'],
  },
  {
    mistake: 'leaves the backend running when the caller leaves',
    adapter: wrapped(
      inner =>
        ({
          next: () => inner.next(),
          return: async () => ({ done: true, value: undefined }),
          [Symbol.asyncIterator]() {
            return this;
          },
        }) as InferenceStream,
    ),
    in: 'leaving in mid-answer reaches the backend',
    breaks: ['done-once-and-last', 'backend-is-stopped', 'signal-is-let-go'],
  },
  {
    mistake: 'reads faster than its caller',
    adapter: changed(hoarding),
    in: 'a caller who does not read makes the backend wait',
    breaks: ['done-once-and-last', 'slow-caller-slows-backend'],
  },
  {
    mistake: 'stays on the signal',
    adapter: () => {
      const adapter = openAIChatAdapter();
      return {
        ...adapter,
        streamInfer: (endpoint, request, options) => {
          options?.signal?.addEventListener('abort', () => {});
          return adapter.streamInfer(endpoint, request, options);
        },
      } as Adapter;
    },
    in: GOOD,
    breaks: ['signal-is-let-go'],
  },
  {
    mistake: 'follows redirects',
    adapter: () => openAIChatAdapter({ http: followingRedirects() }),
    in: 'a redirect is not followed',
    breaks: ['redirects-not-followed', 'attempts-logged'],
  },
  {
    mistake: 'forgets the headers of the call',
    adapter: () => {
      const adapter = openAIChatAdapter();
      return {
        ...adapter,
        streamInfer: (endpoint, request, { headers: _, ...options } = {}) =>
          adapter.streamInfer(endpoint, request, options),
      } as Adapter;
    },
    in: 'headers of the call reach the backend with every request',
    breaks: ['headers-are-sent'],
  },
  {
    mistake: 'tells the key',
    adapter: each(event => [
      event.type === 'error'
        ? {
            type: 'error',
            error: new AirframeError(event.error.category, `${CONFORMANCE_KEY} was refused`, {
              ...event.error,
            }),
          }
        : event,
    ]),
    in: '401 is a matter of the key',
    breaks: ['no-secret'],
  },
  {
    mistake: 'promises what it has not',
    adapter: () => {
      const adapter = openAIChatAdapter();
      return { ...adapter, capabilities: { ...adapter.capabilities, countTokens: true } } as Adapter;
    },
    in: GOOD,
    breaks: ['manifest-is-true'],
  },
];
