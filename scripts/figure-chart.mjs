// Charts of figures, as SVG by hand: no library, and the same bytes for the same figures.

const WIDTH = 720;
const HEIGHT = 320;
const PLOT = { left: 16, right: 16, top: 88, bottom: 36 };
const GAP = 24;
export const COLORS = ['#2563eb', '#94a3b8', '#d97706', '#059669'];

// Pages show it on light and on dark ground.
export const STYLE = `text { font: 13px system-ui, sans-serif; fill: #1f2937; }
  .title { font-size: 16px; font-weight: 600; }
  .note { fill: #6b7280; }
  .axis { stroke: #9ca3af; }
  @media (prefers-color-scheme: dark) { text { fill: #e5e7eb; } .note { fill: #9ca3af; } }`;

export const escaped = text =>
  text.replace(/[&<>]/g, sign => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]);
export const text = (x, y, content, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${more}>${escaped(content)}</text>`;

/**
 * A bar for each value, those of one group side by side.
 * @param groups names below the bars
 * @param series `{ name, values }` each, a value for each group
 */
export function groupedBars({ title, note, groups, series, digits = 2 }) {
  const most = Math.max(...series.flatMap(({ values }) => values));
  const height = HEIGHT - PLOT.top - PLOT.bottom;
  const base = HEIGHT - PLOT.bottom;
  const step = (WIDTH - PLOT.left - PLOT.right) / groups.length;
  const bar = (step - GAP) / series.length;
  const bars = series.flatMap(({ values }, which) =>
    values.map((value, group) => {
      const x = PLOT.left + group * step + GAP / 2 + which * bar;
      const tall = (height * value) / most;
      const area = `x="${x.toFixed(1)}" y="${(base - tall).toFixed(1)}" width="${(bar - 4).toFixed(1)}"`;
      const middle = x + (bar - 4) / 2;
      return [
        `<rect ${area} height="${tall.toFixed(1)}" rx="2" fill="${COLORS[which]}"/>`,
        text(middle, base - tall - 5, value.toFixed(digits), ' text-anchor="middle"'),
      ].join('\n');
    }),
  );
  const names = groups.map((group, index) =>
    text(PLOT.left + (index + 0.5) * step, base + 20, group, ' text-anchor="middle"'),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    text(PLOT.left, 22, title, ' class="title"'),
    text(PLOT.left, 42, note, ' class="note"'),
    ...legend(series),
    ...bars,
    `<line class="axis" x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${base}" y2="${base}"/>`,
    ...names,
    '</svg>',
  ].join('\n');
}

function legend(series) {
  let x = PLOT.left;
  return series.map(({ name }, index) => {
    const swatch = `<rect x="${x}" y="54" width="12" height="12" rx="2" fill="${COLORS[index]}"/>`;
    const label = text(x + 18, 64.5, name);
    x += 44 + 7 * name.length;
    return `${swatch}\n${label}`;
  });
}
