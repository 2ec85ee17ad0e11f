import { z } from 'zod';
import { ignored, only, refused, strictly } from '../checks.ts';

// The Messages API as its clients speak it, as far as it is read; fields inside that nobody reads are let be. Sources:
// @anthropic-ai/sdk 1.14.0 resources/messages/messages.d.ts and resources/beta/messages/messages.d.ts; docs.claude.com
// "Messages" and "Errors", 2026.

const text = z.string();
const name = z.string().min(1);
const json = z.record(z.string(), z.unknown());

const cacheControl = z.object({ ttl: z.enum(['5m', '1h']).nullish() }).nullish();
export type WireCacheControl = z.infer<typeof cacheControl>;
const cached = { cache_control: cacheControl };

/** Text alone stands for one block of it. */
function asBlocks(content: unknown): unknown {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

const textBlock = z.object({ type: z.literal('text'), text, ...cached });
const imageBlock = z.object({
  type: z.literal('image'),
  source: z.discriminatedUnion(
    'type',
    [
      z.object({
        type: z.literal('base64'),
        media_type: z.string().regex(/^image\/[\w.+-]+$/, 'give the media type of an image'),
        data: z.string().min(1),
      }),
      z.object({ type: z.literal('url'), url: z.string().regex(/^https?:/, 'give an https: URL') }),
    ],
    only('base64 or url'),
  ),
  ...cached,
});
const toolResultBlock = z.object({
  type: z.literal('tool_result'),
  tool_use_id: name,
  content: z
    .preprocess(
      asBlocks,
      z.array(z.discriminatedUnion('type', [textBlock, imageBlock], only('text or image'))),
    )
    .nullish(),
  is_error: z.boolean().nullish(),
  ...cached,
});
const thinkingBlock = z.object({ type: z.literal('thinking'), thinking: text, signature: text.nullish() });
const redactedBlock = z.object({ type: z.literal('redacted_thinking'), data: text });
const toolUseBlock = z.object({ type: z.literal('tool_use'), id: name, name, input: json, ...cached });

const systemBlocks = z.preprocess(asBlocks, z.array(z.discriminatedUnion('type', [textBlock], only('text'))));
const userBlocks = z.preprocess(
  asBlocks,
  z.array(
    z.discriminatedUnion(
      'type',
      [textBlock, imageBlock, toolResultBlock],
      only('text, image or tool_result'),
    ),
  ),
);
const assistantBlocks = z.preprocess(
  asBlocks,
  z.array(
    z.discriminatedUnion(
      'type',
      [textBlock, thinkingBlock, redactedBlock, toolUseBlock],
      only('text, thinking, redacted_thinking or tool_use'),
    ),
  ),
);

const message = z.discriminatedUnion(
  'role',
  [
    z.object({ role: z.literal('user'), content: userBlocks }),
    z.object({ role: z.literal('assistant'), content: assistantBlocks }),
    z.object({ role: z.literal('system'), content: systemBlocks }),
  ],
  only('user, assistant or system'),
);
export type WireMessage = z.infer<typeof message>;
export type WireUserBlock = z.infer<typeof userBlocks>[number];
export type WireAssistantBlock = z.infer<typeof assistantBlocks>[number];
export type WireImageBlock = z.infer<typeof imageBlock>;
export type WireToolResultBlock = z.infer<typeof toolResultBlock>;

const tool = z
  .looseObject({ type: z.string().nullish(), name })
  .refine(({ type }) => type === undefined || type === null || type === 'custom', {
    error: ({ input }) => {
      const { name, type } = input as { name: string; type: string };
      return `${name} (${type}) is a tool of Anthropic's own; leave it out, or give one of yours with an input_schema`;
    },
    abort: true,
  })
  .pipe(
    z.object({
      name,
      description: text.nullish(),
      input_schema: json,
      strict: z.boolean().nullish(),
      ...cached,
    }),
  );
export type WireTool = z.infer<typeof tool>;

const onlyOne = { disable_parallel_tool_use: z.boolean().nullish() };
const toolChoice = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('auto'), ...onlyOne }),
    z.object({ type: z.literal('any'), ...onlyOne }),
    z.object({ type: z.literal('tool'), name, ...onlyOne }),
    z.object({ type: z.literal('none') }),
  ],
  only('auto, any, tool or none'),
);
export type WireToolChoice = z.infer<typeof toolChoice>;

const thinking = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('enabled'), budget_tokens: z.int().positive() }),
    z.object({ type: z.literal('adaptive') }),
    z.object({ type: z.literal('disabled') }),
  ],
  only('enabled, adaptive or disabled'),
);
export type WireThinking = z.infer<typeof thinking>;

const format = z.object({ type: z.literal('json_schema'), schema: json }).nullish();

const fields = {
  /** Absent: the gateway's own choice. */
  model: name.nullish(),
  messages: z.array(message).min(1),
  system: systemBlocks.nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  stop_sequences: z.array(z.string().min(1)).nullish(),
  temperature: z.number().min(0).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  thinking: thinking.nullish(),
  output_config: z
    .object({ effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(), format })
    .nullish(),
  /** The older name of `output_config.format`. */
  output_format: format,
  metadata: z.object({ user_id: text.nullish() }).nullish(),
  service_tier: z.string().min(1).nullish(),
  cache_control: cacheControl,
  stream: z.boolean().nullish(),

  betas: ignored,
  billing_policy: ignored,
  compaction: ignored,
  context_management: ignored,
  diagnostics: ignored,
  fallback_credit_token: ignored,
  fallbacks: ignored,
  speed: ignored,
  user_profile_id: ignored,
  workspace_id: ignored,

  container: refused('the gateway has no containers; leave it out'),
  inference_geo: refused('the gateway cannot promise where a call is served; leave it out'),
  mcp_servers: refused('the gateway calls no MCP servers; call them yourself and give their tools in tools'),
  thread: refused('the gateway keeps no state; send the whole conversation in messages'),
};

export const messagesSchema = z.strictObject({ ...fields, max_tokens: z.int().positive() }, strictly);
export const countTokensSchema = z.strictObject(
  { ...fields, max_tokens: z.int().positive().nullish() },
  strictly,
);

/** A request, checked; `max_tokens` is left out only where tokens are counted. */
export type WireRequest = z.infer<typeof countTokensSchema>;

/** Of the fields that are let be: those that a client may miss, and is told of. */
export const TOLD = [
  'betas',
  'compaction',
  'context_management',
  'fallbacks',
  'speed',
] as const satisfies readonly (keyof WireRequest)[];

/** A block of an answer. */
export type WireAnswerBlock =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'redacted_thinking'; data: string }
  | { type: 'tool_use'; id: string; name: string; input: Record<string, unknown> };

/** `input_tokens` is what was neither read from the cache nor written to it. */
export interface WireUsage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  /** Thinking included. */
  output_tokens: number;
  output_tokens_details?: { thinking_tokens: number };
  cache_creation?: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number };
  /** US dollars of the whole call, failed providers included; null: no price is known. Anthropic's API has no such field. */
  cost?: number | null;
}

export interface WireAnswer {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: WireAnswerBlock[];
  stop_reason: 'end_turn' | 'max_tokens' | 'tool_use' | 'refusal' | null;
  stop_sequence: null;
  usage: WireUsage;
}

export interface WireError {
  type: 'error';
  error: { type: string; message: string };
  request_id: string;
}
