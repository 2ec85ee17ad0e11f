// Brings Debian's Prometheus, and promtool with it, for the tests that need a real one.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../packages/llamacpp-native/native/paths.mjs';
import { ensurePrograms, findProgram, toStderr } from '../packages/llamacpp-native/native/programs.mjs';

const PROMETHEUS = {
  purpose: 'testing the metrics with Prometheus',
  packages: ['prometheus'],
  hints: ['Fedora: `sudo dnf install golang-github-prometheus`', 'macOS: `brew install prometheus`'],
};

/** Absolute paths of the two programs; root on Debian gets them installed when they are missing. */
export async function ensurePrometheus({ log = toStderr } = {}) {
  mkdirSync(cacheDir(), { recursive: true });
  const logFile = join(cacheDir(), 'prometheus.log');
  await ensurePrograms([['prometheus'], ['promtool']], PROMETHEUS, { log, logFile });
  const [prometheus, promtool] = ['prometheus', 'promtool'].map(name => join(findProgram(name), name));
  return { prometheus, promtool };
}
