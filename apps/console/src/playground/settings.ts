/** What the fields of the playground hold: as they are written. */
export interface Settings {
  /** One, or two side by side. */
  models: readonly string[];
  system: string;
  temperature: string;
  maxTokens: string;
  topP: string;
  effort: string;
  /** JSON. */
  tools: string;
}

export const NO_SETTINGS: Settings = {
  ...{ models: [], system: '', temperature: '', maxTokens: '', topP: '', effort: '', tools: '' },
};

export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

const STORED = 'gateway-playground';

/** Those of this tab. */
export function storedSettings(): Settings {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(STORED) ?? '{}');
    return { ...NO_SETTINGS, ...(stored as Partial<Settings>) };
  } catch {
    return NO_SETTINGS;
  }
}

export function keepSettings(settings: Settings): void {
  sessionStorage.setItem(STORED, JSON.stringify(settings));
}

/** What is wrong with the tools as they are written; undefined: nothing. */
export function toolsProblem(tools: string): string | undefined {
  if (tools.trim() === '') return undefined;
  try {
    const parsed: unknown = JSON.parse(tools);
    if (!Array.isArray(parsed)) return 'Write a list: [ { "type": "function", "function": { … } } ]';
    const at = parsed.findIndex(tool => typeof tool?.function?.name !== 'string');
    return at < 0 ? undefined : `Tool ${at + 1} has no function.name`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** The body of `POST /v1/chat/completions`. What a field leaves open is left to the gateway. */
export function bodyOf(model: string, settings: Settings, messages: readonly ChatMessage[]): object {
  const { system, temperature, maxTokens, topP, effort, tools } = settings;
  const written = (name: string, value: string) => (value.trim() === '' ? {} : { [name]: Number(value) });
  return {
    model,
    messages: system.trim() === '' ? messages : [{ role: 'system', content: system }, ...messages],
    stream: true,
    stream_options: { include_usage: true },
    ...written('temperature', temperature),
    ...written('max_tokens', maxTokens),
    ...written('top_p', topP),
    ...(effort === '' ? {} : { reasoning_effort: effort }),
    ...(tools.trim() === '' ? {} : { tools: JSON.parse(tools) }),
  };
}
