import { describe, expect, it } from 'vitest';
import { AlikeEvents } from './alike-events.ts';

const eventOf = (text: unknown, more: object = {}) => JSON.stringify({ id: 'x', delta: { text }, ...more });

/** The strings that were read without parsing after the first event was learnt. */
function readLike(first: string, ...rest: string[]): (string | false)[] {
  const alike = new AlikeEvents();
  let taken = '';
  const use = (text: string) => {
    taken = text;
  };
  alike.learn(first, { key: 'text', use });
  return rest.map(data => alike.read(data) && taken);
}

describe('events that are alike', () => {
  it('give the string in which they differ, whatever stands in it', () => {
    const texts = ['b', '', ' "quoted" ', 'back\\slash', 'line\nfeed', 'é € 😀', '\u0000', '"}', '\ud800'];
    expect(readLike(eventOf('a'), ...texts.map(text => eventOf(text)))).toEqual(texts);
    expect(readLike(eventOf('\\"'), eventOf('b'))).toEqual(['b']);
  });

  it('give long strings as they are', () => {
    const texts = ['x'.repeat(12), 'x'.repeat(13), `${'x'.repeat(11)}\n`, `${'x'.repeat(500)}"`];
    expect(readLike(eventOf('a'), ...texts.map(text => eventOf(text)))).toEqual(texts);
  });

  it('may be written with other escapes and with blanks', () => {
    const first = '{ "id": "x", "delta": {"text" : "\\u00e9"} }';
    expect(readLike(first, '{ "id": "x", "delta": {"text" : "a\\/b"} }')).toEqual(['a/b']);
  });

  it.each([
    ['another id', eventOf('b').replace('"x"', '"y"')],
    ['one more field', eventOf('b', { stop: true })],
    ['one field less', '{"id":"x","delta":{}}'],
    ['a field inside', '{"id":"x","delta":{"text":"b","stop":"c"}}'],
    ['null', eventOf(null)],
    ['a number', eventOf(7)],
    ['broken JSON', '{"id":"x","delta":{"text":"a\nb"}}'],
    ['a cut event', '{"id":"x","delta":{"text":"'],
    ['[DONE]', '[DONE]'],
    ['nothing', ''],
  ])('are not those with %s', (_, data) => {
    expect(readLike(eventOf('a'), data)).toEqual([false]);
  });

  it('are not learnt where the key stands twice, or the string is not in its place', () => {
    const twice = eventOf('a', { text: 'a' });
    expect(readLike(twice, twice)).toEqual([false]);
    const elsewhere = '{"text":"a","delta":{"te\\u0078t":"a"}}';
    expect(readLike(elsewhere, elsewhere)).toEqual([false]);
    const longer = '{"delta":{"a\\"text":"a","text":null}}';
    expect(readLike(longer, longer)).toEqual([false]);
  });

  it('may differ in padding that nobody reads', () => {
    const padded = (text: string, padding: unknown) => eventOf(text, { padding, usage: null });
    const alike = new AlikeEvents();
    const taken: string[] = [];
    const use = (text: string) => void taken.push(text);
    alike.learn(padded('a', 'xyz'), { key: 'text', use, padding: 'padding' });
    const others = [padded('b', ''), padded('"},"padding":"', 'q"'), padded('c\\', 'zz')];
    expect(others.map(data => alike.read(data))).toEqual([true, true, true]);
    expect(taken).toEqual(['b', '"},"padding":"', 'c\\']);
    const no = [
      padded('b', 7),
      padded('b', 'x').replace('"x"', '"x'),
      padded('b', '').replace('""', '"'),
      eventOf('b', { usage: null }),
      padded('b', 'x').slice(0, -20),
    ];
    expect(no.map(data => alike.read(data))).toEqual(no.map(() => false));
  });

  it('are no longer looked for in a stream that has none', () => {
    const alike = new AlikeEvents();
    for (let n = 0; n < 10; n++) {
      const data = eventOf('a', { n });
      expect(alike.read(data)).toBe(false);
      alike.learn(data, { key: 'text', use: () => {} });
    }
    expect(alike.learns).toBe(false);
  });
});
