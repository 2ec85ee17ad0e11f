import { AirframeError } from '@x/airframe';
import type { CompletionStream } from './chunk-stream.ts';
import type { LLMResponse, StreamingChunk } from './response.ts';

/** In what form a stream becomes a web `Response`. */
export interface StreamResponseOptions {
  /** `sse`: each chunk as a JSON event, then `[DONE]`. `text`: the answer's text alone. Default `sse`. */
  format?: 'sse' | 'text';
  /**
   * How much the last event tells of the call. `answer`: the answer and its tokens. `all`: the whole response, with what
   * is nobody's business outside: costs, failed tries, addresses of nodes. Default `answer`.
   */
  detail?: 'answer' | 'all';
  /** Over those of the answer. */
  headers?: Record<string, string>;
}

/** HTTP statuses of calls that fail before their first text; any other category is 502. */
const STATUSES: Partial<Record<AirframeError['category'], number>> = {
  invalid_request: 400,
  context_length: 400,
  content_filter: 400,
  auth: 502,
  not_found: 404,
  rate_limit: 429,
  quota: 429,
  aborted: 499,
  overloaded: 503,
  timeout: 504,
};

/**
 * A stream of chunks as a web `Response`. It is not answered before the first chunk is there, so that a call that
 * fails at once has an error status; an error behind that is an event, and the body breaks off without `[DONE]`.
 * Cancelling the body stops the backend.
 */
export async function streamResponseOf(
  stream: CompletionStream,
  { format = 'sse', detail = 'answer', headers = {} }: StreamResponseOptions,
): Promise<Response> {
  let first: IteratorResult<StreamingChunk, undefined>;
  try {
    first = await stream.next();
  } catch (thrown) {
    return failureOf(AirframeError.from(thrown), headers);
  }
  const encoder = new TextEncoder();
  const write =
    format === 'text' ? textOf : (chunk: StreamingChunk) => eventOf(detail === 'all' ? chunk : shown(chunk));
  let next: Promise<IteratorResult<StreamingChunk, undefined>> | undefined = Promise.resolve(first);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          // A read that brings nothing to send must not end the pulling.
          for (;;) {
            const { done, value } = await (next ?? stream.next());
            next = undefined;
            const text = done ? (format === 'sse' ? 'data: [DONE]\n\n' : '') : write(value);
            if (text) controller.enqueue(encoder.encode(text));
            if (done) controller.close();
            if (text || done) return;
          }
        } catch (thrown) {
          const error = AirframeError.from(thrown);
          if (format === 'sse')
            controller.enqueue(encoder.encode(`event: error\ndata: ${JSON.stringify(plain(error))}\n\n`));
          // A clean end would look like a whole answer.
          controller.error(error);
        }
      },
      async cancel() {
        await stream.return?.();
      },
    },
    // Pulled only when somebody reads: the backend waits for the client.
    { highWaterMark: 0 },
  );
  const type = format === 'sse' ? 'text/event-stream; charset=utf-8' : 'text/plain; charset=utf-8';
  return new Response(body, {
    headers: { 'content-type': type, 'cache-control': 'no-cache, no-transform', ...headers },
  });
}

function eventOf(chunk: object): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** What a client may know of a chunk. */
function shown({ response, seam, ...chunk }: StreamingChunk): object {
  return {
    ...chunk,
    ...(seam && { seam: { policy: seam.policy, reason: seam.reason } }),
    ...(response && { response: answerOf(response) }),
  };
}

function answerOf({ costUsd: _, metadata, ...answer }: LLMResponse): object {
  const { requestId, agentName, finishReason, usage, timings, request, message } = metadata;
  return { ...answer, metadata: { requestId, agentName, finishReason, usage, timings, request, message } };
}

/** A restart cannot be told in plain text; a client that has to know reads events. */
function textOf({ text }: StreamingChunk): string {
  return text;
}

function failureOf(error: AirframeError, headers: Record<string, string>): Response {
  const { category, retryAfterMs } = error;
  const wait = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) };
  return Response.json(
    { error: plain(error) },
    { status: STATUSES[category] ?? 502, headers: { ...wait, ...headers } },
  );
}

/** What a client may know of an error: neither causes nor what the backend sent. */
function plain({ category, message, code, retryable, retryAfterMs }: AirframeError): Record<string, unknown> {
  return { category, message, code, retryable, retryAfterMs };
}
