// Records a program in a real pseudo-terminal (that of util-linux's `script`), and draws what was seen as an SVG of text.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { escaped } from './figure-chart.mjs';
import { TerminalScreen } from './terminal-screen.mjs';
import { ROOT } from './workspace.mjs';

const COLUMNS = 96;
const ROWS = 24;
/** Pictures that follow each other sooner are one. */
const FRAME_MS = 120;
/** Waits are shown no longer than this. */
const MOST_MS = 900;
/** What is seen at the end stays. */
const LAST_MS = 5_000;
/** A spinner turns many times; a few turns show it. */
const MOST_FRAMES = 24;

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are controlled by them.
const WHOLE_SEQUENCE = /^\x1b(\[[\d;?]*[A-Za-z]|[^[])/;

const CHAR = 8.4;
const LINE = 20;
const PADDING = 16;
const TOP = 44;

/** @returns frames `{ atMs, lines }`, `atMs` from the start */
export async function record(command) {
  const shell = `stty cols ${COLUMNS} rows ${ROWS}; ${command}`;
  const env = { ...process.env, TERM: 'xterm-256color' };
  delete env.NO_COLOR;
  const child = spawn('script', ['-qefc', shell, '/dev/null'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pieces = [];
  const startedAt = performance.now();
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', text => pieces.push({ atMs: performance.now() - startedAt, text }));
  const [code] = await once(child, 'close').catch(error => {
    throw new Error(`no pseudo-terminal (${error.message}): install util-linux's \`script\``);
  });
  if (code !== 0)
    throw new Error(`${command} ended with ${code}:\n${pieces.map(({ text }) => text).join('')}`);
  return framesOf(pieces);
}

function framesOf(pieces) {
  const screen = new TerminalScreen(COLUMNS);
  const frames = [];
  let rest = '';
  for (const { atMs, text } of pieces) {
    const whole = rest + text;
    // A sequence may come in two pieces.
    const cut = whole.lastIndexOf('\x1b');
    const isCut = cut >= 0 && !WHOLE_SEQUENCE.test(whole.slice(cut));
    screen.write(isCut ? whole.slice(0, cut) : whole);
    rest = isCut ? whole.slice(cut) : '';
    const frame = { atMs: Math.round(atMs), lines: screen.lines() };
    const last = frames.at(-1);
    if (last && frame.atMs - last.atMs < FRAME_MS) last.lines = frame.lines;
    else if (JSON.stringify(last?.lines) !== JSON.stringify(frame.lines)) frames.push(frame);
  }
  return thinned(frames);
}

/** Leaves frames out in the middle, where a spinner turns. */
function thinned(frames) {
  if (frames.length <= MOST_FRAMES) return frames;
  const half = MOST_FRAMES / 2;
  return [...frames.slice(0, half), ...frames.slice(-half)];
}

/**
 * @param prompt the line that a user typed
 * @param frames as `record` gave them
 */
export function drawn({ title, prompt, frames }) {
  const most = Math.max(...frames.map(({ lines }) => lines.length)) + 1;
  const [width, height] = [COLUMNS * CHAR + 2 * PADDING, TOP + most * LINE + PADDING];
  const shown = frames.map(({ atMs }, at) => {
    const next = frames[at + 1]?.atMs;
    return next === undefined ? LAST_MS : Math.min(MOST_MS, next - atMs);
  });
  const total = shown.reduce((sum, ms) => sum + ms, 0);
  let begins = 0;
  const groups = frames.map(({ lines }, at) => {
    const [from, to] = [begins, begins + shown[at]].map(ms => ((100 * ms) / total).toFixed(2));
    begins += shown[at];
    const isLast = at === frames.length - 1;
    return {
      css: isLast ? lastCss(at, from) : frameCss(at, from, to),
      svg: `<g class="f${isLast ? ' last' : ''}" style="animation-name:f${at}">${lines.map((line, row) => lineOf(line, row + 1)).join('')}</g>`,
    };
  });
  const said = frames
    .at(-1)
    .lines.map(line => line.map(({ text }) => text).join(''))
    .join(' ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${height}" role="img" aria-label="${escaped(`${title}: ${prompt} ${said}`).replaceAll('"', '&quot;')}">`,
    `<style>${STYLE}\n@media (prefers-reduced-motion:no-preference){.f{animation-duration:${(total / 1_000).toFixed(1)}s}}\n${groups.map(({ css }) => css).join('\n')}</style>`,
    `<rect class="screen" width="${width.toFixed(0)}" height="${height}" rx="8"/>`,
    ['#f87171', '#fbbf24', '#34d399']
      .map((fill, at) => `<circle cx="${20 + 18 * at}" cy="20" r="5" fill="${fill}"/>`)
      .join(''),
    lineOf(
      [
        { text: '$ ', style: 'green' },
        { text: prompt, style: 'bold' },
      ],
      0,
    ),
    ...groups.map(({ svg }) => svg),
    '</svg>',
  ].join('\n');
}

const STYLE = `text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#e5e7eb;white-space:pre}
.screen{fill:#111827;stroke:#374151}.dim{fill:#9ca3af}.bold{font-weight:600}.red{fill:#f87171}.green{fill:#34d399}.yellow{fill:#fbbf24}.blue{fill:#60a5fa}.magenta{fill:#e879f9}.cyan{fill:#22d3ee}
.f{visibility:hidden;animation-iteration-count:infinite;animation-timing-function:step-end}.last{visibility:visible}`;

const frameCss = (at, from, to) =>
  `@keyframes f${at}{0%{visibility:${from === '0.00' ? 'visible' : 'hidden'}}${from}%{visibility:visible}${to}%{visibility:hidden}}`;
const lastCss = (at, from) => `@keyframes f${at}{0%{visibility:hidden}${from}%{visibility:visible}}`;

function lineOf(runs, row) {
  if (runs.length === 0) return '';
  const spans = runs.map(({ text, style }) =>
    style ? `<tspan class="${style}">${escaped(text)}</tspan>` : escaped(text),
  );
  return `<text x="${PADDING}" y="${TOP + row * LINE}" xml:space="preserve">${spans.join('')}</text>`;
}
