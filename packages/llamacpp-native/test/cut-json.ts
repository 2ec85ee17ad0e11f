import * as fc from 'fast-check';

/** Of what is generated and how it is cut. */
export const SEED: number = Number(process.env['TOOLS_SEED'] ?? Date.now() % 2 ** 31);
console.log(`random JSON in random pieces: TOOLS_SEED=${SEED} repeats it`);

/** A text, and one of the many ways to write it in a JSON string. */
export const escapings: fc.Arbitrary<{ text: string; raw: string }> = fc
  .array(
    fc
      .oneof(
        fc.string({ unit: 'grapheme', maxLength: 4 }),
        fc.constantFrom('"', '\\', '/', '\n', '\\u0041', '😀'),
      )
      .chain(text =>
        fc.constantFrom(
          { text, raw: JSON.stringify(text).slice(1, -1) },
          { text, raw: text.replaceAll(/./gs, byNumber) },
          { text, raw: JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/') },
        ),
      ),
    { maxLength: 8 },
  )
  .map(parts => ({
    text: parts.map(({ text }) => text).join(''),
    raw: parts.map(({ raw }) => raw).join(''),
  }));

function byNumber(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The same text, cut between characters. */
export function inPieces(text: string): fc.Arbitrary<string[]> {
  const chars = [...text];
  const places = fc.uniqueArray(fc.nat(chars.length), { maxLength: 12 });
  return places.map(given => {
    const cuts = [0, ...given.toSorted((a, b) => a - b), chars.length];
    return cuts.slice(1).map((to, index) => chars.slice(cuts[index], to).join(''));
  });
}
