import { z } from 'zod';
import { NO_LOSS, PASSED_ON } from '../openai-chat/wire.ts';

// What clients of the older Completions send. Source: openai/openai-openapi f85dbe22 (2026-08-21).

const count = z.int().positive().nullish();

export const completionsRequestSchema = z.looseObject({
  model: z.string().nullish(),
  prompt: z.union([z.string(), z.array(z.string()).length(1, 'the gateway completes one prompt a call')], {
    error: 'give a text; token ids mean something to one model only',
  }),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: z.number().min(0).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  max_tokens: count,
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  seed: z.int().nullish(),
  n: z.int().nullish(),
  best_of: z.int().nullish(),
  echo: z.boolean().nullish(),
  suffix: z.string().nullish(),
  logprobs: z.int().nullish(),
});

/** All that need not be named where it is left out. */
export const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(completionsRequestSchema.shape),
  ...PASSED_ON,
  ...NO_LOSS,
]);
