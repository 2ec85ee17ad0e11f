import { z } from 'zod';
import { ignored, only, refused, strictly } from '../checks.ts';

// The Responses API as its clients speak it, as far as it is read; fields inside that nobody reads are let be. Most may be
// null. Sources: openai-node 6.49.0 resources/responses/responses.d.ts; openai/openai-openapi f85dbe22 (2026-08-21).

const text = z.string();
const name = z.string().min(1);
const json = z.record(z.string(), z.unknown());

/** Text alone stands for one part of it. */
function asParts(content: unknown): unknown {
  return typeof content === 'string' ? [{ type: 'input_text', text: content }] : content;
}

const textPart = z.object({ type: z.enum(['input_text', 'output_text']), text });
const refusalPart = z.object({ type: z.literal('refusal'), refusal: text });
const imagePart = z.object({
  type: z.literal('input_image'),
  image_url: z
    .string('give an https: or data: URL; the gateway keeps no files')
    .regex(/^(https?|data):/, 'give an https: or data: URL'),
});
const part = z.discriminatedUnion(
  'type',
  [textPart, refusalPart, imagePart],
  only('input_text, input_image, output_text or refusal'),
);
export type WirePart = z.infer<typeof part>;

const message = z.object({
  type: z.literal('message'),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: z.preprocess(asParts, z.array(part)),
});
const functionCall = z.object({ type: z.literal('function_call'), call_id: name, name, arguments: text });
const functionCallOutput = z.object({
  type: z.literal('function_call_output'),
  call_id: name,
  output: z.preprocess(
    asParts,
    z.array(z.discriminatedUnion('type', [textPart, imagePart], only('input_text or input_image'))),
  ),
});
const shownThinking = z.array(z.object({ text })).nullish();
const reasoning = z.object({
  type: z.literal('reasoning'),
  summary: shownThinking,
  content: shownThinking,
  encrypted_content: text.nullish(),
});
export type WireReasoning = z.infer<typeof reasoning>;

/** A message need not say that it is one. */
function asItem(item: unknown): unknown {
  const isUntyped = typeof item === 'object' && item !== null && !('type' in item);
  return isUntyped ? { ...item, type: 'message' } : item;
}

const STATELESS = 'the gateway keeps no state';

const item = z.preprocess(
  asItem,
  z.discriminatedUnion('type', [message, functionCall, functionCallOutput, reasoning], {
    error: ({ code, input }) => {
      if (code !== 'invalid_union') return undefined;
      return (input as { type?: unknown }).type === 'item_reference'
        ? `${STATELESS}; send the item itself, as clients do that are told store: false`
        : 'the gateway takes message, function_call, function_call_output or reasoning here';
    },
  }),
);
export type WireInputItem = z.infer<typeof item>;
export type WireMessage = z.infer<typeof message>;
export type WireFunctionCallOutput = z.infer<typeof functionCallOutput>;

/** Text alone stands for a message of the user. */
function asItems(input: unknown): unknown {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input;
}

/** Whole, for it stands in the answer again. */
const tool = z
  .looseObject({ type: text })
  .refine(({ type }) => type === 'function', {
    error: ({ input }) => {
      const { type } = input as { type: string };
      return `${type} is a tool of OpenAI's own; leave it out, or give one of yours of type function`;
    },
    abort: true,
  })
  .pipe(
    z.looseObject({
      type: z.literal('function'),
      name,
      description: text.nullish(),
      parameters: json.nullish(),
      strict: z.boolean().nullish(),
    }),
  );
export type WireTool = z.infer<typeof tool>;

const named = z.object({ type: z.literal('function'), name });
const toolChoice = z.union(
  [
    z.enum(['auto', 'none', 'required']),
    named,
    z.object({
      type: z.literal('allowed_tools'),
      mode: z.enum(['auto', 'required']),
      tools: z.array(named).min(1),
    }),
  ],
  only('auto, none, required, a function by name, or allowed_tools that are functions'),
);
export type WireToolChoice = z.infer<typeof toolChoice>;

const format = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('text') }),
    z.object({ type: z.literal('json_object') }),
    z.looseObject({
      type: z.literal('json_schema'),
      name,
      schema: json,
      strict: z.boolean().nullish(),
    }),
  ],
  only('text, json_object or json_schema'),
);
export type WireFormat = z.infer<typeof format>;

/** A request, checked. */
export const responsesSchema = z.strictObject(
  {
    model: name.nullish(),
    input: z.preprocess(asItems, z.array(item).min(1)),
    instructions: text.nullish(),
    tools: z.array(tool).nullish(),
    tool_choice: toolChoice.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    text: z.object({ format: format.nullish(), verbosity: text.nullish() }).nullish(),
    reasoning: z
      .object({
        effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
        summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
      })
      .nullish(),
    max_output_tokens: z.int().positive().nullish(),
    temperature: z.number().min(0).nullish(),
    top_p: z.number().min(0).max(1).nullish(),
    metadata: z.record(z.string(), text).nullish(),
    service_tier: name.nullish(),
    prompt_cache_key: name.nullish(),
    include: z
      .array(
        text.regex(/^(?!message\.output_text\.logprobs$)/, 'the gateway gives no logprobs; leave it out'),
      )
      .nullish(),
    stream: z.boolean().nullish(),

    client_metadata: ignored,
    context_management: ignored,
    max_tool_calls: ignored,
    prompt_cache_options: ignored,
    prompt_cache_retention: ignored,
    safety_identifier: ignored,
    /** Nothing is ever stored, which the answer says. */
    store: ignored,
    stream_options: ignored,
    /** What is too long is an error, whatever the client would have cut off. */
    truncation: ignored,
    user: ignored,

    background: refused(`${STATELESS} and cannot answer later; leave it out, and stream the answer`),
    conversation: refused(`${STATELESS}; send the whole conversation in input`),
    moderation: refused('the gateway does not moderate; leave it out'),
    previous_response_id: refused(`${STATELESS}; send the whole conversation in input`),
    prompt: refused(`${STATELESS} and no prompts; send the text in instructions and input`),
    top_logprobs: refused('the gateway gives no logprobs; leave it out'),
  },
  strictly,
);
export type WireRequest = z.infer<typeof responsesSchema>;

/** Of the fields that are let be: those that a client may miss, and is told of. */
export const TOLD = [
  'context_management',
  'prompt_cache_options',
  'prompt_cache_retention',
  'store',
] as const satisfies readonly (keyof WireRequest)[];

/** A thing that is under way, whole or cut off. */
export type WireStatus = 'in_progress' | 'completed' | 'incomplete';

/** A part of a message (`output_text`), of thinking (`reasoning_text`) or of its summary (`summary_text`). */
export type WireOutputPart =
  | { type: 'output_text'; text: string; annotations: []; logprobs: [] }
  | { type: 'reasoning_text' | 'summary_text'; text: string };

export type WireItem =
  | { id: string; type: 'message'; role: 'assistant'; status: WireStatus; content: WireOutputPart[] }
  | {
      id: string;
      type: 'reasoning';
      summary: WireOutputPart[];
      content?: WireOutputPart[];
      encrypted_content?: string;
    }
  | {
      id: string;
      type: 'function_call';
      call_id: string;
      name: string;
      arguments: string;
      status: WireStatus;
    };

export interface WireUsage {
  /** Cached ones included. */
  input_tokens: number;
  input_tokens_details: { cached_tokens: number; cache_write_tokens: number };
  /** Reasoning included. */
  output_tokens: number;
  output_tokens_details: { reasoning_tokens: number };
  total_tokens: number;
  /** US dollars of the whole call, failed providers included; null: no price is known. OpenAI's API has no such field. */
  cost: number | null;
}

export interface WireResponse {
  id: string;
  object: 'response';
  created_at: number;
  status: WireStatus | 'failed';
  error: { code: string; message: string } | null;
  incomplete_details: { reason: 'max_output_tokens' | 'content_filter' } | null;
  model: string;
  output: WireItem[];
  usage: WireUsage | null;
}
