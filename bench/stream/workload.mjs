// What the server sends, and so what a row has to have received. A workload travels in the URL that a row is given:
// the client libraries know no other way of telling the server.

/** Pieces as models make them: mostly 4 to 6 characters, no quotes. */
const PIECES = (
  'The| pilot| reads| the| list| aloud| while| the| crew| checks| each| valve| and| gauge|.| Then| the| tower| gives' +
  '| them| a| wind| report|,| and| they| roll| out| slow|ly| along| the| taxi|way|.| Clouds| hang| low| over| the' +
  '| hills|,| but| north| of| the| river| the| sky| is| clear|.| Fuel| is| full|,| flaps| are| set|,| radio| is| quiet' +
  '|,| and| every| light| burns| green|.| At| rotate| speed| the| nose| comes| up| and| ground| noise| fades| away'
).split('|');

/** Weight of a `padded` event; large events make a large response of few. */
const PADDING = 'x'.repeat(4000);

/** What the events of a kind have beside their text. */
const MORE = { numbered: number => ({ number }), padded: () => ({ obfuscation: PADDING }) };

export const TOOL = {
  name: 'write_note',
  description: 'Writes a note.',
  parameters: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
};
const ARGUMENTS_START = '{"text":"';
const ARGUMENTS_END = '"}';

/**
 * @typedef {object} Workload
 * @property {'text' | 'numbered' | 'tools' | 'padded'} kind `numbered`: no event is like the one before but for its text
 * @property {number} events events with content in a response
 * @property {number} perWrite events in one write of the server
 */

/** @returns {string} the path under which the server serves it */
export const pathOf = ({ kind, events, perWrite }) => `/${kind}/${events}/${perWrite}`;

/** @returns {{workload: Workload, route: string} | undefined} */
export function workloadOf(url) {
  const [, kind, events, perWrite, route] =
    /^\/(text|numbered|tools|padded)\/(\d+)\/(\d+)(\/.*)$/.exec(url) ?? [];
  return kind && { workload: { kind, events: Number(events), perWrite: Number(perWrite) }, route };
}

/** Events and characters that one response brings. */
export function expected({ kind, events }) {
  let chars = 0;
  for (let at = 0; at < events; at++) chars += PIECES[at % PIECES.length].length;
  return kind === 'tools'
    ? { events: events + 2, chars: chars + ARGUMENTS_START.length + ARGUMENTS_END.length }
    : { events, chars };
}

/**
 * The writes of a response, in order.
 * @param wire how a protocol says it: `{ first, piece, last }`
 */
export function* writesOf(wire, { kind, events, perWrite }) {
  const tools = kind === 'tools';
  const piece = tools ? wire.argument : (text, number) => wire.text(text, MORE[kind]?.(number));
  yield Buffer.from(wire.open(tools));
  if (tools) yield Buffer.from(wire.argument(ARGUMENTS_START));
  const pieces = PIECES.map(piece);
  const made = new Map();
  for (let at = 0; at < events; at += perWrite) {
    const from = at % pieces.length;
    const count = Math.min(perWrite, events - at);
    const key = from * perWrite + count;
    if (!made.has(key)) {
      const events = Array.from({ length: count }, (_, n) => pieces[(from + n) % pieces.length]);
      made.set(key, Buffer.from(events.join('')));
    }
    yield made.get(key);
  }
  if (tools) yield Buffer.from(wire.argument(ARGUMENTS_END));
  yield Buffer.from(wire.close(tools, events));
}
