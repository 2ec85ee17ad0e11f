import { z } from 'zod';

interface Said {
  error: z.core.$ZodErrorMap;
}

/** For a union that goes by a type. @param taken the types that belong there, in words */
export function only(taken: string): Said {
  return {
    error: issue => (issue.code === 'invalid_union' ? `the gateway takes ${taken} here` : undefined),
  };
}

/** For the whole body: a field that nobody knows may be one that matters. */
export const strictly: Said = {
  error: issue =>
    issue.code === 'unrecognized_keys'
      ? `the gateway does not know ${(issue['keys'] as string[]).join(', ')}; leave it out`
      : undefined,
};

/** A field that only tells a vendor how to serve, keep or bill a call: what comes out is good without it. */
export const ignored: z.ZodOptional<z.ZodUnknown> = z.unknown().optional();

/**
 * A field without which something else would come out than was asked; it may only say that nothing is asked.
 * @param why and what to do instead
 */
export function refused(why: string): z.ZodOptional<z.ZodUnknown> {
  return z.unknown().refine(asksNothing, { error: why }).optional();
}

/** Whether the value of an optional field says that the client does without. */
export function asksNothing(value: unknown): boolean {
  return !value || (Array.isArray(value) && value.length === 0);
}
