import { AirframeError } from '@x/airframe';
import type { LlamaCppRequest, PlainRequest } from '../request.ts';
import { answerSchema } from './answer-schema.ts';
import { type Offer, offerOf } from './offer.ts';
import { announce, plainMessages } from './plain-messages.ts';

/** Makes of a schema what the engine can hold an answer to. */
export type FollowSchema = (schema: Record<string, unknown>) => Record<string, unknown>;

/** Whether a request neither offers tools nor has calls and results in its chat. */
export function isPlain(request: LlamaCppRequest): request is PlainRequest {
  const { tools = [], messages = [] } = request;
  return (
    tools.length === 0 &&
    messages.every(
      message => message.role !== 'tool' && !(message.role === 'assistant' && message.toolCalls?.length),
    )
  );
}

/**
 * The same request for a model that has no format for tools: they and how to call them are told in the system
 * message, calls and results of the chat are written out, and a JSON schema holds the answer to the format.
 * @throws AirframeError invalid_request: something in the request cannot be had together with tools
 */
export function plainRequest(
  request: LlamaCppRequest,
  follow: FollowSchema = schema => schema,
): PlainRequest {
  if (isPlain(request)) return request;
  const offer = offerOf(request);
  if (offer) checkAlone(request);
  const { tools: _, toolChoice: __, parallelToolCalls: ___, prompt, messages, ...rest } = request;
  if (prompt !== undefined) return { ...rest, prompt };
  const chat = { ...rest, messages: plainMessages(messages ?? [], offer !== undefined) };
  return offer ? constrained(chat, offer, follow) : chat;
}

function constrained(
  { stop: _, messages, ...rest }: PlainChat,
  offer: Offer,
  follow: FollowSchema,
): PlainChat {
  return {
    // Without stop sequences: they end what is said, and in the way it is written they may be anywhere.
    ...rest,
    messages: announce(messages, offer),
    responseFormat: { type: 'json_schema', schema: follow(answerSchema(offer)) },
  };
}

type PlainChat = Extract<PlainRequest, { messages: unknown[] }>;

/** Keys of `extra` that say what the answer has to look like. */
const SHAPING = ['grammar', 'json_schema', 'response_format'];

function checkAlone({ prompt, messages, responseFormat, extra = {} }: LlamaCppRequest): void {
  if (prompt !== undefined) throw refuse('a prompt', 'send messages');
  if (responseFormat && responseFormat.type !== 'text') throw refuse('responseFormat', LEAVE_OUT);
  const shaping = SHAPING.find(key => extra[key] !== undefined);
  if (shaping) throw refuse(`extra.${shaping}`, LEAVE_OUT);
  if (messages?.at(-1)?.role === 'assistant') {
    throw refuse(
      'a last message of the assistant for the model to continue',
      'end the chat with another one',
    );
  }
}

const LEAVE_OUT = 'leave out one of them';

function refuse(what: string, remedy: string): AirframeError {
  const text = `the model has no format of its own for tools, and in the one it is held to it cannot take ${what}`;
  return new AirframeError('invalid_request', text, { code: 'unsupported', remedy });
}
