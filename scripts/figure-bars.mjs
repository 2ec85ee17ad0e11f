// Horizontal bars, one for each row: for figures whose rows have long names.
import { COLORS, escaped, STYLE, text } from './figure-chart.mjs';

const WIDTH = 720;
const TOP = 60;
const ROW = 30;
const NAMES = 190;
/** Room for the figure behind the longest bar. */
const FIGURES = 130;

/**
 * @param groups `{ name?, rows }` each; rows `{ name, value, told?, isOurs? }`: `told` stands behind the bar. Bars have
 *   one scale in all groups.
 */
export function rowBars({ title, note, groups, digits = 2 }) {
  const values = groups.flatMap(({ rows }) => rows.map(({ value }) => value));
  const scale = (WIDTH - NAMES - FIGURES) / Math.max(...values);
  let y = TOP;
  const parts = [];
  for (const { name, rows } of groups) {
    if (name) {
      parts.push(text(16, y + 18, name, ' class="note"'));
      y += ROW;
    }
    for (const row of rows) {
      parts.push(barOf(row, y, scale, digits));
      y += ROW;
    }
  }
  const height = y + 16;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(labelOf(title, groups, digits))}">`,
    `<style>${STYLE}</style>`,
    text(16, 22, title, ' class="title"'),
    text(16, 42, note, ' class="note"'),
    ...parts,
    '</svg>',
  ].join('\n');
}

function barOf({ name, value, told, isOurs }, y, scale, digits) {
  const long = Math.max(1, value * scale).toFixed(1);
  const color = COLORS[isOurs ? 0 : 1];
  return [
    text(NAMES - 10, y + 16, name, ' text-anchor="end"'),
    `<rect x="${NAMES}" y="${y + 3}" width="${long}" height="18" rx="2" fill="${color}"/>`,
    text(NAMES + Number(long) + 8, y + 16, told ?? value.toFixed(digits)),
  ].join('\n');
}

/** The chart of a set as Markdown. @param part `readme` where the page is in the root, else it is in docs */
export function chartOf(name, alt, part) {
  return `![${alt}](${part === 'readme' ? 'docs/' : ''}figures/${name}.svg)`;
}

/** What the chart says, for those who do not see it. */
function labelOf(title, groups, digits) {
  const rows = groups.flatMap(({ name, rows }) =>
    rows.map(row => `${name ? `${name}, ` : ''}${row.name} ${row.told ?? row.value.toFixed(digits)}`),
  );
  return `${title}: ${rows.join('; ')}`.replaceAll('"', '');
}
