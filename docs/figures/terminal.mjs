// The terminal app as a user sees it, recorded in a pseudo-terminal.
import { drawn, record } from '../../scripts/terminal-recording.mjs';
import { ensureBuilt, ensureInstalled } from '../../scripts/workspace.mjs';

export const name = 'terminal';
export const files = [];
export const code = ['apps/terminal/src', 'scripts/start.mjs'];

const PROMPT = 'npm start -- "What is 2+2?"';

export async function measure() {
  // What the first run installs and builds is not what is to be seen.
  await ensureInstalled();
  await ensureBuilt();
  return { command: PROMPT, rows: await record(PROMPT) };
}

export const render = () => '';

export function svg({ rows }) {
  return drawn({ title: 'The terminal app', prompt: PROMPT, frames: rows });
}
