import { z } from 'zod';

// What clients of Chat Completions send. Source: openai/openai-openapi f85dbe22 (2026-08-21), and llama-server's
// tools/server/README.md for what it takes beyond that.

const text = z.string();
const textPart = z.looseObject({ type: z.literal('text'), text });
const refusalPart = z.looseObject({ type: z.literal('refusal'), refusal: text });
const imagePart = z.looseObject({
  type: z.literal('image_url'),
  image_url: z.union([text, z.looseObject({ url: text })]),
});
const content = z.union([text, z.array(textPart)], {
  error: 'give a text, or a list of parts of type text',
});

const toolCall = z.looseObject({
  id: text,
  type: z.literal('function').optional(),
  function: z.looseObject({ name: text, arguments: text }),
});

export const messageSchema = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('system'), content }),
  z.looseObject({ role: z.literal('developer'), content }),
  z.looseObject({
    role: z.literal('user'),
    content: z.union([text, z.array(z.union([textPart, imagePart]))], {
      error: 'give a text, or a list of parts of type text and image_url',
    }),
  }),
  z.looseObject({
    role: z.literal('assistant'),
    content: z
      .union([text, z.array(z.union([textPart, refusalPart]))], {
        error: 'give a text, or a list of parts of type text and refusal',
      })
      .nullish(),
    /** llama-server, DeepSeek, and others who want thinking back. */
    reasoning_content: text.nullish(),
    tool_calls: z.array(toolCall).nullish(),
  }),
  z.looseObject({ role: z.literal('tool'), tool_call_id: text, content }),
]);

const tool = z.looseObject({
  type: z.literal('function', { error: 'only tools of type "function" can be passed on' }),
  function: z.looseObject({
    name: text,
    description: text.nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
});

const named = z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: text }) });
const toolChoice = z.union(
  [
    z.enum(['none', 'auto', 'required']),
    named,
    z.looseObject({
      type: z.literal('allowed_tools'),
      allowed_tools: z.looseObject({ mode: z.enum(['auto', 'required']), tools: z.array(named).min(1) }),
    }),
  ],
  { error: 'give none, auto, required, a function by name, or allowed_tools that are functions' },
);

const responseFormat = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({
      name: text.optional(),
      schema: z.record(z.string(), z.unknown()).optional(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
const count = z.int().positive().nullish();

export const chatRequestSchema = z.looseObject({
  model: text.nullish(),
  messages: z.array(messageSchema).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: responseFormat.nullish(),
  reasoning_effort: z.enum(EFFORTS).nullish(),
  temperature: z.number().min(0).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  max_tokens: count,
  max_completion_tokens: count,
  stop: z.union([text, z.array(text)]).nullish(),
  seed: z.int().nullish(),
  n: z.int().nullish(),
  logprobs: z.boolean().nullish(),
  service_tier: text.nullish(),
  prompt_cache_key: text.nullish(),
});

export type ChatRequest = z.infer<typeof chatRequestSchema>;
export type ChatMessage = z.infer<typeof messageSchema>;

/**
 * Parameters that go to the backend as they are: OpenAI's own that change the sampling, and those of llama-server and
 * others who copy the protocol. Whatever else a client sends is left out, and named in a header of the answer.
 */
export const PASSED_ON: ReadonlySet<string> = new Set([
  'frequency_penalty',
  'presence_penalty',
  'logit_bias',
  'verbosity',
  'top_k',
  'min_p',
  'typical_p',
  'top_n_sigma',
  'repeat_penalty',
  'repeat_last_n',
  'repetition_penalty',
  'dynatemp_range',
  'dynatemp_exponent',
  'dry_multiplier',
  'dry_base',
  'dry_allowed_length',
  'dry_penalty_last_n',
  'dry_sequence_breakers',
  'xtc_probability',
  'xtc_threshold',
  'mirostat',
  'mirostat_tau',
  'mirostat_eta',
  'samplers',
  'grammar',
  'ignore_eos',
  'chat_template_kwargs',
]);

/** What a vendor is told of whom it serves: an answer is as good without. */
export const NO_LOSS: readonly string[] = ['metadata', 'user', 'safety_identifier'];

/** All that need not be named where it is left out. */
export const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(chatRequestSchema.shape),
  ...PASSED_ON,
  ...NO_LOSS,
]);
