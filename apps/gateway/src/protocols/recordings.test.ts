import { readdirSync, readFileSync } from 'node:fs';
import {
  type Adapter,
  AirframeError,
  anthropicMessagesAdapter,
  collect,
  type HttpFn,
  type InferenceResult,
  type InferenceStreamEvent,
  openAIChatAdapter,
  openAIResponsesAdapter,
} from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { facts, type Piece, streamOf, written } from './__fixtures__/replies.ts';
import { read as readMessages } from './anthropic-messages/__fixtures__/grammar.ts';
import { MessageWriter } from './anthropic-messages/answer.ts';
import { read as readChat } from './openai-chat/__fixtures__/grammar.ts';
import { ChatAnswer } from './openai-chat/answer.ts';
import { read as readResponse } from './openai-responses/__fixtures__/grammar.ts';
import { ResponseWriter } from './openai-responses/answer.ts';
import type { AnswerWriter } from './protocol.ts';

const ADAPTERS: Readonly<Record<string, (http: HttpFn) => Adapter>> = {
  'anthropic-messages': http => anthropicMessagesAdapter({ http }),
  'openai-chat': http => openAIChatAdapter({ http }),
  'openai-responses': http => openAIResponsesAdapter({ http }),
};

const PROTOCOLS = {
  'anthropic-messages': { writer: () => new MessageWriter(facts), read: readMessages },
  'openai-responses': { writer: () => new ResponseWriter(facts, {}, 'reasoning_text'), read: readResponse },
  'openai-chat': { writer: () => new ChatAnswer(facts, true), read: readChat },
} as const;

const RECORDINGS = Object.keys(ADAPTERS).flatMap(adapter => {
  const folder = new URL(
    `../../../../packages/airframe/src/adapters/${adapter}/__fixtures__/`,
    import.meta.url,
  );
  return readdirSync(folder)
    .filter(file => file.endsWith('.sse'))
    .map(file => ({ adapter, file, text: readFileSync(new URL(file, folder), 'utf8') }));
});

/** The events that an adapter reads out of a stream. */
async function eventsIn(adapter: string, text: string): Promise<InferenceStreamEvent[]> {
  const http: HttpFn = async () => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: (async function* () {
      yield Buffer.from(text);
    })(),
  });
  const over = ADAPTERS[adapter]?.(http);
  const endpoint = { name: 'a', backendKind: adapter.replace('-', '_'), baseUrl: 'http://a/v1', model: 'm' };
  const events: InferenceStreamEvent[] = [];
  const request = { messages: [{ role: 'user' as const, content: 'hi' }] };
  for await (const event of over?.streamInfer(endpoint, request) ?? []) events.push(event);
  return events;
}

function piecesOf(event: InferenceStreamEvent): Piece[] {
  switch (event.type) {
    case 'token':
      return [{ text: event.text }];
    case 'reasoning': {
      const { text, signature } = event;
      return [...(text ? [{ thinking: text }] : []), ...(signature ? [{ signature }] : [])];
    }
    case 'tool_call_delta': {
      const { index: call, argumentsDelta, type: _, ...names } = event;
      return [{ call, arguments: argumentsDelta, ...names }];
    }
    default:
      return [];
  }
}

/** The stream that a client gets of these events. */
function sent(writer: AnswerWriter, events: InferenceStreamEvent[], result: InferenceResult): string {
  const pieces = events.flatMap(piecesOf);
  const { error, finishReason, usage } = result;
  if (!error) return streamOf(writer, { pieces, finishReason, usage });
  return writer.begin() + pieces.map(piece => written(writer, piece)).join('') + writer.fail(error);
}

const resultOf = (events: InferenceStreamEvent[]) => {
  const stream = (async function* () {
    yield* events;
  })();
  return collect(stream, { throwOnError: false });
};

/** What a client can know of a reply. */
function knownOf({ text, reasoning, toolCalls, finishReason, usage }: InferenceResult): object {
  const { promptTokens, completionTokens, cachedTokens = 0 } = usage;
  return {
    text,
    reasoning,
    toolCalls: toolCalls.map(({ id, name, arguments: args }) => ({ id, name, arguments: args })),
    finishReason,
    usage: { promptTokens, completionTokens, cachedTokens },
  };
}

for (const [protocol, { writer, read }] of Object.entries(PROTOCOLS)) {
  describe(`over ${protocol}`, () => {
    it.each(RECORDINGS)('$adapter/$file is passed on as it is', async ({ adapter, text }) => {
      const events = await eventsIn(adapter, text);
      const result = await resultOf(events);
      const stream = sent(writer(), events, result);
      expect(Boolean(read(stream).error)).toBe(Boolean(result.error));
      const received = await resultOf(await eventsIn(protocol, stream));
      if (result.error) expect(received.error).toMatchObject({ name: 'AirframeError' });
      else expect(knownOf(received)).toEqual(knownOf(result));
    });

    it.each(['rate_limit', 'overloaded', 'quota', 'context_length', 'invalid_request'] as const)(
      'an error in mid-stream stays %s',
      async category => {
        const answer = writer();
        const stream = answer.begin() + answer.text('a') + answer.fail(new AirframeError(category, 'no'));
        const { text, error } = await resultOf(await eventsIn(protocol, stream));
        expect({ text, category: error?.category }).toEqual({ text: 'a', category });
      },
    );
  });
}
