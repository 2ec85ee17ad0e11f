/**
 * What the servers that speak Chat Completions take, as data.
 * Sources: openai/openai-openapi f85dbe22 (2026-08-21); ollama/ollama fb307609 openai/openai.go (2026-08-21);
 * vllm-project/vllm 006c49d4 (2026-09); groq-typescript 709b1ab (2026-07-24); mistralai/client-ts b14b3b90
 * (2026-08-05); together-typescript 5d7f323 (2026-08-19); OpenRouter docs (2026-06); DeepSeek docs, "Thinking
 * Mode" (2026-11). What none of them settles is left out of the request.
 */
export interface Profile {
  /** Host names, also as the end of longer ones: `api.openai.com` takes in `eu.api.openai.com`. */
  hosts: readonly string[];
  /** Where the server listens unless told otherwise. */
  port?: number;
  tokenLimit: 'max_completion_tokens' | 'max_tokens';
  seed: 'seed' | 'random_seed';
  /** Optional fields that are sent; any other one of them is left out. */
  sends: readonly OptionalField[];
  toolChoice: {
    /** The server's word for `required`. */
    required: 'required' | 'any';
    /** `object`: a named function. `only`: that tool is offered alone, as required. */
    named: 'object' | 'only';
    /** `ignored`: the server offers the tools whatever is said, so for `none` they are left out. */
    none: 'none' | 'ignored';
  };
  /** How the request asks for thinking; only OpenRouter's form knows a token budget. */
  reasoning: 'reasoning_effort' | 'openrouter' | 'deepseek';
  reasoningHistory: {
    /** `with_tools`: in conversations that have tools or calls. */
    when: 'never' | 'with_tools' | 'always';
    field: 'reasoning_content' | 'reasoning' | 'reasoning_details';
    /** A message with calls is refused without the field: it is sent empty when there was no thinking. */
    required?: boolean;
  };
  /** `data_url`: the server fetches nothing. */
  images: 'any_url' | 'data_url';
  toolCallIds: 'any' | 'alphanumeric9';
  /** Unknown keys of a tool call go back to the server (Gemini's `extra_content.google.thought_signature`). */
  toolCallExtras: boolean;
  /** Has `/completions` for a raw prompt. */
  rawPrompt: boolean;
  /** GET; proves that the key is good where the server looks at it. */
  healthPath: string;
}

export type OptionalField =
  | 'stream_options'
  | 'parallel_tool_calls'
  | 'strict'
  | 'service_tier'
  | 'prompt_cache_key';

/** A server nobody knows. It gets `stream_options`, since usage hangs on it, until it refuses the field by name. */
export const GENERIC: Profile = {
  hosts: [],
  tokenLimit: 'max_tokens',
  seed: 'seed',
  sends: ['stream_options'],
  toolChoice: { required: 'required', named: 'object', none: 'none' },
  reasoning: 'reasoning_effort',
  reasoningHistory: { when: 'never', field: 'reasoning_content' },
  images: 'any_url',
  toolCallIds: 'any',
  toolCallExtras: true,
  rawPrompt: true,
  healthPath: '/models',
};

/** What the known servers have in common. */
const KNOWN: Profile = { ...GENERIC, toolCallExtras: false };

export const PROFILE_NAMES = [
  'openai',
  'ollama',
  'vllm',
  'lmstudio',
  'openrouter',
  'groq',
  'mistral',
  'deepseek',
  'together',
] as const;

export type ProfileName = (typeof PROFILE_NAMES)[number];

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  openai: {
    ...KNOWN,
    hosts: ['api.openai.com'],
    tokenLimit: 'max_completion_tokens',
    sends: ['stream_options', 'parallel_tool_calls', 'strict', 'service_tier', 'prompt_cache_key'],
  },
  // Its request struct has no tool_choice and no max_completion_tokens; both would be ignored without a word.
  ollama: {
    ...KNOWN,
    hosts: ['ollama.com'],
    port: 11434,
    toolChoice: { required: 'required', named: 'only', none: 'ignored' },
    reasoningHistory: { when: 'with_tools', field: 'reasoning' },
    images: 'data_url',
  },
  // The chat template decides what it does with earlier thinking.
  vllm: {
    ...KNOWN,
    port: 8000,
    sends: ['stream_options', 'parallel_tool_calls', 'strict'],
    reasoningHistory: { when: 'always', field: 'reasoning' },
  },
  lmstudio: {
    ...KNOWN,
    port: 1234,
    toolChoice: { required: 'required', named: 'only', none: 'none' },
    images: 'data_url',
  },
  openrouter: {
    ...KNOWN,
    hosts: ['openrouter.ai'],
    sends: ['stream_options', 'parallel_tool_calls', 'strict', 'service_tier'],
    reasoning: 'openrouter',
    reasoningHistory: { when: 'always', field: 'reasoning_details' },
    toolCallExtras: true,
    // `/models` answers without a key.
    healthPath: '/key',
  },
  groq: {
    ...KNOWN,
    hosts: ['api.groq.com'],
    tokenLimit: 'max_completion_tokens',
    sends: ['stream_options', 'parallel_tool_calls', 'strict', 'service_tier'],
    rawPrompt: false,
  },
  // A field it does not know is a 422; usage comes unasked.
  mistral: {
    ...KNOWN,
    hosts: ['api.mistral.ai'],
    seed: 'random_seed',
    sends: ['parallel_tool_calls', 'strict'],
    toolChoice: { required: 'any', named: 'object', none: 'none' },
    toolCallIds: 'alphanumeric9',
    rawPrompt: false,
  },
  deepseek: {
    ...KNOWN,
    hosts: ['api.deepseek.com'],
    reasoning: 'deepseek',
    reasoningHistory: { when: 'with_tools', field: 'reasoning_content', required: true },
    rawPrompt: false,
  },
  // Usage comes unasked.
  together: { ...KNOWN, hosts: ['api.together.xyz', 'api.together.ai'], sends: [] },
};
