import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Answers go to stdout; everything about them (spinner, figures, hints, errors) to stderr, so that pipes stay clean. */
const { stdout, stderr } = process;

export const isInteractive = (): boolean => process.stdin.isTTY === true && stdout.isTTY === true;

export function styled(style: Style, text: string): string {
  const colours = stderr.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  return colours ? styleText(style, text) : text;
}

export function note(text: string, style: Style = 'dim'): void {
  stderr.write(`${styled(style, text)}\n`);
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** Whether a line that stands on stderr can be written over. */
export const canRewrite = (): boolean => stderr.isTTY === true && process.env['TERM'] !== 'dumb';

/**
 * Shows in one line what goes on, asking for it anew each time; nothing at all where no line can be rewritten. Returns
 * what ends it, once.
 */
export function spin(label: () => string): () => void {
  if (!canRewrite()) return () => {};
  let frame = 0;
  const started = Date.now();
  const draw = () => {
    const seconds = Math.floor((Date.now() - started) / 1000);
    const text = `${FRAMES[frame++ % FRAMES.length]} ${label()}${seconds > 1 ? ` ${seconds} s` : ''}`;
    stderr.write(`\r\x1b[2K${styled('cyan', text)}`);
  };
  draw();
  let timer: NodeJS.Timeout | undefined = setInterval(draw, 80);
  return () => {
    // Once: a second time would wipe what has been written to the line since.
    if (!timer) return;
    clearInterval(timer);
    timer = undefined;
    stderr.write('\r\x1b[2K');
  };
}
