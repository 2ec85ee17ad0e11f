import * as z from 'zod';
import type { AssistantMessage, ToolCall } from './events.ts';
import { check } from './validate.ts';

/** A text beside images in a user's message. */
export interface TextPart {
  type: 'text';
  text: string;
}

/** An image, by URL or inline. */
export interface ImagePart {
  type: 'image';
  /** `https:` or `data:` URL. */
  url: string;
}

/** How the model is to behave. */
export interface SystemMessage {
  role: 'system';
  content: string;
}

/** What the user says: a text, or texts and images. */
export interface UserMessage {
  role: 'user';
  content: string | (TextPart | ImagePart)[];
}

/** The result of a tool call, for the model to read. */
export interface ToolMessage {
  role: 'tool';
  /** `id` of the call this answers. */
  toolCallId: string;
  content: string;
  /** The tool failed; `content` says how. */
  isError?: boolean;
}

/** One turn of a conversation, told apart by `role`. */
export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

/** A function the model may call. */
export interface ToolSpec {
  /** Up to 64 characters of `A-Za-z0-9_-`. */
  name: string;
  description?: string;
  /** JSON Schema of the arguments object. */
  parameters: Record<string, unknown>;
}

/** `{name}` forces that one tool. */
export type ToolChoice = 'auto' | 'none' | 'required' | { name: string };

/** How much a reasoning model thinks. Each adapter sends what its backend knows of it. */
export interface ReasoningOptions {
  effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';
  /** Upper bound on thinking tokens. */
  maxTokens?: number;
}

/** Asks the backend to keep the prompt for the calls that follow; llama-server does so anyway. */
export interface PromptCacheOptions {
  /** Calls with the same key meet the same cache. */
  key?: string;
  /** How long it is to be kept. */
  ttl?: '5m' | '1h';
}

/** The form of the answer. `json_schema` is enforced where the backend can; `json` is any JSON. */
export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json' }
  | { type: 'json_schema'; name?: string; schema: Record<string, unknown>; strict?: boolean };

/** What an {@link InferenceRequest} may say beside its prompt. */
export interface RequestOptions<Extra> {
  /** Model name as the backend knows it. Absent: the endpoint's own. */
  model?: string;
  tools?: ToolSpec[];
  toolChoice?: ToolChoice;
  parallelToolCalls?: boolean;
  responseFormat?: ResponseFormat;
  reasoning?: ReasoningOptions;
  promptCache?: PromptCacheOptions;
  /** The backend's own name of a service tier. */
  serviceTier?: string;
  /** 0 = always the likeliest token. Absent: the backend's default, as with every option here. */
  temperature?: number;
  topP?: number;
  /** Upper bound on generated tokens, reasoning included. */
  maxTokens?: number;
  /** Sequences that end the answer; not part of it. */
  stop?: string[];
  seed?: number;
  /** false: one answer at the end instead of deltas. The events are the same. Default true. */
  stream?: boolean;
  /** The backend's own parameters, sent as they are. */
  extra?: Extra;
}

/**
 * One inference, for every backend. Either `messages` (a chat, put through the model's own template) or
 * `prompt` (raw text, no template).
 */
export type InferenceRequest<Extra extends object = Record<string, unknown>> = RequestOptions<Extra> &
  ({ messages: Message[]; prompt?: never } | { prompt: string; messages?: never });

const toolCall: z.ZodType<ToolCall> = z.object({
  id: z.string(),
  name: z.string(),
  arguments: z.string(),
  input: z.unknown().optional(),
  parseError: z.string().exactOptional(),
  signature: z.string().exactOptional(),
});

const message: z.ZodType<Message> = z.discriminatedUnion('role', [
  z.object({ role: z.literal('system'), content: z.string() }),
  z.object({
    role: z.literal('user'),
    content: z.union([
      z.string(),
      z.array(
        z.discriminatedUnion('type', [
          z.object({ type: z.literal('text'), text: z.string() }),
          z.object({ type: z.literal('image'), url: z.string().regex(/^(https?|data):/) }),
        ]),
      ),
    ]),
  }),
  z.object({
    role: z.literal('assistant'),
    content: z.string(),
    reasoning: z.array(z.object({ text: z.string(), signature: z.string().exactOptional() })).exactOptional(),
    toolCalls: z.array(toolCall).exactOptional(),
  }),
  z.object({
    role: z.literal('tool'),
    toolCallId: z.string().min(1),
    content: z.string(),
    isError: z.boolean().exactOptional(),
  }),
]);

const jsonObject = z.record(z.string(), z.unknown());

/** Checks a request from outside. Errors name the path and the value. */
export const inferenceRequestSchema: z.ZodType<InferenceRequest> = z
  .object({
    messages: z.array(message).min(1).exactOptional(),
    prompt: z.string().exactOptional(),
    model: z.string().min(1).exactOptional(),
    tools: z
      .array(
        z.object({
          name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
          description: z.string().exactOptional(),
          parameters: jsonObject,
        }),
      )
      .exactOptional(),
    toolChoice: z
      .union([z.enum(['auto', 'none', 'required']), z.object({ name: z.string() })])
      .exactOptional(),
    parallelToolCalls: z.boolean().exactOptional(),
    responseFormat: z
      .discriminatedUnion('type', [
        z.object({ type: z.literal('text') }),
        z.object({ type: z.literal('json') }),
        z.object({
          type: z.literal('json_schema'),
          name: z.string().exactOptional(),
          schema: jsonObject,
          strict: z.boolean().exactOptional(),
        }),
      ])
      .exactOptional(),
    reasoning: z
      .object({
        effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).exactOptional(),
        maxTokens: z.int().positive().exactOptional(),
      })
      .exactOptional(),
    promptCache: z
      .object({ key: z.string().min(1).exactOptional(), ttl: z.enum(['5m', '1h']).exactOptional() })
      .exactOptional(),
    serviceTier: z.string().min(1).exactOptional(),
    temperature: z.number().min(0).exactOptional(),
    topP: z.number().min(0).max(1).exactOptional(),
    maxTokens: z.int().positive().exactOptional(),
    stop: z.array(z.string().min(1)).exactOptional(),
    seed: z.int().exactOptional(),
    stream: z.boolean().exactOptional(),
    extra: jsonObject.exactOptional(),
  })
  .refine(r => (r.messages === undefined) !== (r.prompt === undefined), {
    error: 'give either messages or prompt, and not both',
  }) as unknown as z.ZodType<InferenceRequest>;

/**
 * Checks a request from outside.
 * @throws AirframeError (invalid_request) naming the path and the value
 */
export function checkRequest(request: InferenceRequest<object>): void {
  if (!isPlainChat(request)) check(inferenceRequestSchema, request, 'request');
}

const PLAIN_ROLES: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant']);

/** Whether it is what most requests are, texts with a few figures, and nothing is wrong with it: seen at a glance. */
function isPlainChat(request: InferenceRequest<object>): boolean {
  if (typeof request !== 'object' || request === null) return false;
  for (const field in request) if (!isPlainField(field, request[field as keyof typeof request])) return false;
  return request.messages !== undefined;
}

function isPlainField(field: string, value: unknown): boolean {
  switch (field) {
    case 'messages':
      return Array.isArray(value) && value.length > 0 && value.every(isPlainMessage);
    case 'model':
      return typeof value === 'string' && value !== '';
    case 'stream':
      return typeof value === 'boolean';
    case 'temperature':
      return Number.isFinite(value) && (value as number) >= 0;
    case 'topP':
      return Number.isFinite(value) && (value as number) >= 0 && (value as number) <= 1;
    case 'maxTokens':
      return Number.isSafeInteger(value) && (value as number) > 0;
    default:
      return false;
  }
}

function isPlainMessage(message: Partial<AssistantMessage> | null): boolean {
  if (typeof message !== 'object' || message === null) return false;
  const { role, content, reasoning, toolCalls } = message;
  return (
    PLAIN_ROLES.has(role) && typeof content === 'string' && reasoning === undefined && toolCalls === undefined
  );
}

/** Characters of a request's prompt; the base of an estimate where a backend counts no tokens. */
export function promptChars(request: InferenceRequest<object>): number {
  if (request.prompt !== undefined) return request.prompt.length;
  let chars = 0;
  for (const { content } of request.messages ?? []) {
    if (typeof content === 'string') chars += content.length;
    else if (Array.isArray(content))
      for (const part of content) chars += part.type === 'text' ? part.text.length : 0;
  }
  return chars;
}
