import type { SseEvent } from '../../src/transport/sse.ts';

/**
 * The algorithm of the HTML standard (9.2.6, interpreting an event stream), word for word and with no regard for
 * speed, but for the end of the stream: there, as SseParser promises, what has come counts as if an empty line followed.
 */
export function referenceEvents(bytes: Uint8Array): SseEvent[] {
  const events: SseEvent[] = [];
  let data = '';
  let event = '';
  const text = new TextDecoder().decode(bytes);
  for (const line of `${text}\n\n`.split(/\r\n|\n|\r/)) {
    if (line === '') {
      if (data !== '')
        events.push(event === '' ? { data: data.slice(0, -1) } : { data: data.slice(0, -1), event });
      data = '';
      event = '';
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    else if (field === 'data') data += `${value}\n`;
  }
  return events;
}
