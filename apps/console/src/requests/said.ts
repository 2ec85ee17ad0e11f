export interface Said {
  /** `system`, `user`, `assistant`, `tool`. */
  role: string;
  text: string;
}

/** A captured prompt as messages: the gateway keeps those as JSON. Undefined: it is a text of its own. */
export function messagesIn(prompt: string): Said[] | undefined {
  try {
    const parsed: unknown = JSON.parse(prompt);
    if (!Array.isArray(parsed) || !parsed.every(one => typeof one?.role === 'string')) return undefined;
    return parsed.map(({ role, content }) => ({ role, text: textOf(content) }));
  } catch {
    // A text, or JSON that was too long to be kept whole.
    return undefined;
  }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content) && content.every(part => typeof part?.text === 'string')) {
    return content.map(({ text }) => text).join('\n');
  }
  return JSON.stringify(content, null, 2) ?? '';
}
