import {
  AirframeError,
  check,
  type EndpointSpec,
  type InferenceRequest,
  type LlamaServerExtra,
  type Message,
  type ToolMessage,
} from '@x/airframe';
import { z } from 'zod';
import type { ChatMessage, GenerateOptions, Grammar } from './engine.ts';
import { checkJsonSchema } from './json-schema.ts';

/** Settings of an endpoint, in its `options`. */
export interface LlamaCppOptions {
  /** Tokens a prompt and its answer may have together. Default: as the model was trained, at most 4,096. */
  contextTokens?: number;
  /** Layers to put on the GPU. Default 0. */
  gpuLayers?: number;
  /** Default: one for each core, but one core is left to everything else; at most 32. */
  threads?: number;
  /** Requests worked on at once, each with a context of its own. Default 4; the engine node-llama-cpp does one. */
  parallel?: number;
  /** Path of the projector (mmproj) that makes tokens of images. Only with the engine `core`. */
  mmproj?: string;
  /** Most memory for prompts that no sequence holds any more, in MiB. Default 512. Only with the engine `core`. */
  promptCacheMiB?: number;
  /** Unloads the model when no call has used it for so long, in milliseconds; 0: never. Default: the adapter's. */
  idleUnloadMs?: number;
  /** false: loads the model even if it seems not to fit into memory. Default true. */
  checkMemory?: boolean;
  /**
   * `process`: the engine runs in a child process, so that a crash of native code ends its calls and not this process.
   * Default `none`.
   */
  isolation?: 'none' | 'process';
}

/** Parameters of llama.cpp beyond the common ones, named as llama-server names them and, by the core, as it reads them. */
export type LlamaCppExtra = LlamaServerExtra;

export type LlamaCppRequest = InferenceRequest<LlamaCppExtra>;

/** A message in which nothing of tools is. */
export type PlainMessage = Exclude<Message, ToolMessage>;

/** A request in which nothing of tools is. */
export type PlainRequest = Omit<LlamaCppRequest, 'messages' | 'prompt' | 'tools'> &
  ({ messages: PlainMessage[]; prompt?: never } | { prompt: string; messages?: never });

/** Those of them that the engine node-llama-cpp can do. */
interface EngineExtra {
  /** Default 40; 0 = off. */
  top_k?: number;
  /** Default 0.05; 0 = off. */
  min_p?: number;
  /** Default 1 = off. */
  repeat_penalty?: number;
  /** Tokens back that are penalised, the prompt's included. Default 64. */
  repeat_last_n?: number;
  /** Variables for the chat template, e.g. `{"enable_thinking": false}`. */
  chat_template_kwargs?: Record<string, unknown>;
  /** GBNF grammar that the answer has to follow. */
  grammar?: string;
  /** JSON Schema that the answer has to follow. */
  json_schema?: Record<string, unknown>;
}

/** Node's timers hold no more; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const optionsSchema: z.ZodType<LlamaCppOptions> = z.strictObject({
  contextTokens: z.int().positive().exactOptional(),
  gpuLayers: z.int().min(0).exactOptional(),
  threads: z.int().positive().exactOptional(),
  parallel: z.int().positive().exactOptional(),
  mmproj: z.string().min(1).exactOptional(),
  promptCacheMiB: z.int().min(0).exactOptional(),
  idleUnloadMs: z.int().min(0).max(MAX_TIMER_MS).exactOptional(),
  checkMemory: z.boolean().exactOptional(),
  isolation: z.enum(['none', 'process']).exactOptional(),
});

const keepingSchema: z.ZodType<{ maxLoaded?: number | undefined; idleUnloadMs?: number | undefined }> =
  z.object({
    maxLoaded: z.int().positive().optional(),
    idleUnloadMs: z.int().min(0).max(MAX_TIMER_MS).optional(),
  });

/** @throws AirframeError invalid_request naming the option of the adapter that no clock or count can be */
export function checkKeeping(options: z.input<typeof keepingSchema>): void {
  check(keepingSchema, options, 'options of llamaCppAdapter', { code: 'configuration' });
}

const jsonObject = z.record(z.string(), z.unknown());

const extraSchema: z.ZodType<EngineExtra> = z.strictObject({
  top_k: z.int().min(0).exactOptional(),
  min_p: z.number().min(0).max(1).exactOptional(),
  repeat_penalty: z.number().positive().exactOptional(),
  repeat_last_n: z.int().min(0).exactOptional(),
  chat_template_kwargs: jsonObject.exactOptional(),
  grammar: z.string().min(1).exactOptional(),
  json_schema: jsonObject.exactOptional(),
});

/** @throws AirframeError invalid_request naming the option */
export function readOptions(endpoint: Pick<EndpointSpec, 'name' | 'options'>): LlamaCppOptions {
  const what = `options of endpoint ${endpoint.name}`;
  return check(optionsSchema, endpoint.options ?? {}, what, { code: 'configuration' });
}

/** A request, checked and with llama-server's defaults where it says nothing. */
export interface ReadRequest {
  prompt: string | ChatMessage[];
  templateKwargs: Record<string, unknown> | undefined;
  generate: Omit<GenerateOptions, 'prompt' | 'signal'>;
}

/** @throws AirframeError invalid_request naming what this adapter cannot do */
export function readRequest(request: PlainRequest): ReadRequest {
  const extra = check(extraSchema, request.extra ?? {}, 'extra');
  return {
    prompt: request.prompt ?? request.messages.map(chatMessage),
    templateKwargs: extra.chat_template_kwargs,
    generate: {
      sampling: {
        temperature: request.temperature ?? 0.8,
        topP: request.topP ?? 0.95,
        topK: extra.top_k ?? 40,
        minP: extra.min_p ?? 0.05,
        repeatPenalty: extra.repeat_penalty ?? 1,
        repeatLastN: extra.repeat_last_n ?? 64,
        seed: request.seed,
      },
      maxTokens: request.maxTokens,
      stop: request.stop ?? [],
      grammar: grammar(request.responseFormat, extra),
    },
  };
}

function grammar(
  format: InferenceRequest['responseFormat'],
  { grammar: gbnf, json_schema }: EngineExtra,
): Grammar | undefined {
  const formatted = format !== undefined && format.type !== 'text';
  if (Number(gbnf !== undefined) + Number(json_schema !== undefined) + Number(formatted) > 1) {
    throw new AirframeError(
      'invalid_request',
      'give one of extra.grammar, extra.json_schema and responseFormat',
    );
  }
  if (gbnf !== undefined) return { gbnf };
  if (json_schema !== undefined) return { jsonSchema: checkJsonSchema(json_schema) };
  if (format?.type === 'json_schema') return { jsonSchema: checkJsonSchema(format.schema) };
  return format?.type === 'json' ? { json: true } : undefined;
}

function chatMessage(message: PlainMessage): ChatMessage {
  switch (message.role) {
    case 'assistant': {
      const reasoning = message.reasoning?.map(part => part.text).join('') ?? '';
      const { role, content } = message;
      return reasoning === '' ? { role, content } : { role, content, reasoning_content: reasoning };
    }
    case 'user':
      if (typeof message.content === 'string') return { role: 'user', content: message.content };
      return {
        role: 'user',
        content: message.content.map(part => {
          if (part.type === 'image') throw unsupported('images');
          return { type: 'text', text: part.text };
        }),
      };
    default:
      return { role: 'system', content: message.content };
  }
}

function unsupported(what: string): AirframeError {
  return new AirframeError('invalid_request', `the engine node-llama-cpp does not do ${what}`, {
    code: 'unsupported',
    remedy: 'run `npx llamacpp-native build`, which makes the engine that does, or use a llama-server',
  });
}
