// Pictures of the console over the scripted gateway: console-light.png and console-dark.png beside this file.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from '../../scripts/workspace.mjs';

export const name = 'console';
export const files = [];
export const code = ['apps/console/src', 'apps/gateway/test/scripted-gateway'];

const SCRIPT = 'scripts/console-shots.mjs';
const PICTURES = ['console-light.png', 'console-dark.png'];

export async function measure() {
  if ((await run(process.execPath, [join(ROOT, SCRIPT)])) !== 0) throw new Error(`${SCRIPT} failed`);
  const sizeOf = file => statSync(join(ROOT, 'docs', 'figures', file)).size;
  return { command: 'pnpm figures:console', rows: PICTURES.map(file => ({ file, bytes: sizeOf(file) })) };
}

export const render = () => '';
