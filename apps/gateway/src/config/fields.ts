import { z } from 'zod';

// What the fields of gateway.yaml are made of.

/** Of providers, nodes, keys and limits. */
export const name: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'use up to 64 letters, digits, `_`, `.` or `-`')
  .describe('A name of your own: letters, digits, `_`, `.` and `-`.');
export const text = z.string().min(1);
export const count = z.int().positive();
/** Node's timers hold 2^31 - 1 milliseconds; a longer one would fire at once. */
export const MAX_TIMER_SECONDS = 2_147_483;
export const seconds = z.number().positive().max(MAX_TIMER_SECONDS);
/** Budgets are counted in billionths of a dollar. */
export const dollars = z.number().min(1e-9);
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the user is to write.
export const secret = text.describe('A secret; write ${VARIABLE} to take it from the environment.');
