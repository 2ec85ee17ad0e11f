import { describe, expect, it } from 'vitest';
import { type SseEvent, SseParser } from './sse.ts';

const encoder = new TextEncoder();

function parse(text: string, cuts: number[] = []): string[] {
  const bytes = encoder.encode(text);
  const parser = new SseParser();
  const events: string[] = [];
  const take = ({ data, event = '' }: SseEvent) => events.push(`${event}|${data}`);
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    parser.feed(bytes.subarray(from, to), take);
    from = to;
  }
  parser.end(take);
  return events;
}

/** What a text cut in two leaves beside its events. */
function strayIn(text: string, cut: number): string | undefined {
  const parser = new SseParser();
  const bytes = encoder.encode(text);
  const events: string[] = [];
  const take = ({ data }: SseEvent) => events.push(data);
  parser.feed(bytes.subarray(0, cut), take);
  parser.feed(bytes.subarray(cut), take);
  parser.end(take);
  expect(events).toEqual(['a']);
  return parser.stray;
}

describe('SseParser', () => {
  const stream =
    ': ping\r\n\r\ndata: {"a":"é€😀"}\r\n\r\nevent: x\ndata:no space\n\ndata: two\ndata: lines\n\ndata: [DONE]\n\n';
  const expected = ['|{"a":"é€😀"}', 'x|no space', '|two\nlines', '|[DONE]'];

  it('reads comments, CRLF, event names, a missing space and joined data lines', () => {
    expect(parse(stream)).toEqual(expected);
  });

  it('gives the same events when the stream is cut at any byte', () => {
    const { length } = encoder.encode(stream);
    for (let cut = 0; cut <= length; cut++) expect(parse(stream, [cut])).toEqual(expected);
  });

  it('gives the same events one byte at a time', () => {
    const { length } = encoder.encode(stream);
    expect(
      parse(
        stream,
        Array.from({ length }, (_, i) => i),
      ),
    ).toEqual(expected);
  });

  it('keeps a last event whose empty line is missing', () => {
    expect(parse('data: a\n\ndata: b')).toEqual(['|a', '|b']);
  });

  it('keeps JSON that stands beside the events, on one line or on several, and no other lines', () => {
    const error = { error: { code: 503, message: 'data: overloaded', details: [':', ''] } };
    for (const text of [JSON.stringify(error), JSON.stringify([error], null, 2)]) {
      const { length } = encoder.encode(`data: a\n\n${text}`);
      for (let cut = 0; cut <= length; cut++) {
        expect(strayIn(`data: a\n\n${text}`, cut)).toBe(text);
      }
    }
    expect(strayIn('data: a\n\nupstream error\n{"half":', 0)).toBeUndefined();
  });

  it('gives what came before an event over its bound, however the bytes are cut', () => {
    for (const size of [1, 7, 2_000]) {
      const parser = new SseParser(1_000);
      const bytes = encoder.encode(`data: a\n\ndata: ${'x'.repeat(1_500)}`);
      const events: string[] = [];
      const feed = () => {
        for (let from = 0; from < bytes.length; from += size) {
          parser.feed(bytes.subarray(from, from + size), ({ data }) => events.push(data));
        }
      };
      expect(feed).toThrow(/event of over 1000 characters/);
      expect(events).toEqual(['a']);
    }
  });

  it('refuses an event over its bound instead of filling the memory', () => {
    const parser = new SseParser(1_000);
    const feedForever = () => {
      for (let i = 0; i < 100; i++) {
        parser.feed(encoder.encode('data: '.padEnd(100, 'x')), () => {});
      }
    };
    expect(feedForever).toThrow(/event of over 1000 characters/);
  });
});
