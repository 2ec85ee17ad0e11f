export interface ServerEvent {
  /** `message` where the server names none. */
  event: string;
  data: string;
}

/**
 * Server-sent events of a response body, as they come. Comments are left out; an event that the end cuts off is too.
 * Format: WHATWG HTML, 9.2.6.
 * @param onBytes is told of every arrival, comments included
 */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>,
  onBytes?: () => void,
): AsyncGenerator<ServerEvent> {
  let event = '';
  let data: string[] = [];
  for await (const line of lines(body, onBytes)) {
    if (line === '') {
      if (data.length > 0) yield { event: event || 'message', data: data.join('\n') };
      event = '';
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
  }
}

async function* lines(body: ReadableStream<Uint8Array>, onBytes?: () => void): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  // Pieces of the line that has not ended yet.
  let pending: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes?.();
      const [first = '', ...rest] = decoder.decode(value, { stream: true }).split('\n');
      pending.push(first);
      for (const next of rest) {
        const line = pending.join('');
        yield line.endsWith('\r') ? line.slice(0, -1) : line;
        pending = [next];
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
