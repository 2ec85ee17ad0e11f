import { z } from 'zod';
import type { RequestDefaults } from '../providers/adapter-provider.ts';
import { PROVIDER_TYPES, type ProviderType, type Variable } from './variables.ts';

/** What a model's name stands for. */
export interface ModelAlias {
  provider: ProviderType;
  /** As the provider knows it; never another alias. */
  model: string;
  /** What a call gets where it says nothing. */
  defaults?: RequestDefaults;
}

/** Alias → what it stands for. */
export type ModelAliases = Readonly<Record<string, ModelAlias>>;

/** A model's name, understood. */
export interface ResolvedModel {
  model: string;
  /** Absent: the name is no alias, and means something to the agent's own provider. */
  provider?: ProviderType;
  defaults?: RequestDefaults;
}

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

const defaults: z.ZodType<RequestDefaults> = z.strictObject(
  {
    temperature: z.number({ error: 'give a number from 0 to 2' }).min(0).max(2).exactOptional(),
    maxTokens: z.int({ error: 'give a whole number above 0' }).positive().exactOptional(),
    topP: z.number({ error: 'give a number from 0 to 1' }).min(0).max(1).exactOptional(),
    stop: z.array(z.string().min(1), { error: 'give a list of texts' }).exactOptional(),
    reasoning: z
      .strictObject({
        effort: z.enum(EFFORTS, { error: `use one of ${EFFORTS.join(', ')}` }).exactOptional(),
        maxTokens: z.int({ error: 'give a whole number above 0' }).positive().exactOptional(),
      })
      .exactOptional(),
    extra: z.record(z.string(), z.unknown(), { error: 'give an object' }).exactOptional(),
  },
  { error: issue => unknownKeys(issue, 'temperature, maxTokens, topP, stop, reasoning, extra') },
);

const aliases: z.ZodType<ModelAliases> = z.record(
  z.string(),
  z.strictObject(
    {
      provider: z.enum(PROVIDER_TYPES, { error: `use one of ${PROVIDER_TYPES.join(', ')}` }),
      model: z.string({ error: 'name a model' }).min(1, { error: 'name a model' }),
      defaults: defaults.exactOptional(),
    },
    { error: issue => unknownKeys(issue, 'provider, model, defaults') },
  ),
  { error: 'give an object of aliases' },
);

function unknownKeys(issue: z.core.$ZodRawIssue, known: string): string | undefined {
  if (issue.code !== 'unrecognized_keys') return `give an object with ${known}`;
  return `${issue.keys.join(', ')} is unknown; use ${known}`;
}

/** JSON of {@link ModelAliases} in a variable. */
export const aliasesVariable: Variable<ModelAliases> = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      const example = '{"fast": {"provider": "openai", "model": "gpt-4.1-mini"}}';
      context.addIssue({ code: 'custom', message: `give JSON, e.g. ${example}` });
      return z.NEVER;
    }
  })
  .pipe(aliases as z.ZodType<ModelAliases, unknown>) as unknown as Variable<ModelAliases>;

/** What a model's name stands for: an alias, or the model of that name. */
export function resolveModel({ modelAliases }: { modelAliases: ModelAliases }, name: string): ResolvedModel {
  return (Object.hasOwn(modelAliases, name) ? modelAliases[name] : undefined) ?? { model: name };
}
