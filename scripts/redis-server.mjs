// Brings Debian's redis-server for the tests that need a real one.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../packages/llamacpp-native/native/paths.mjs';
import { ensurePrograms, findProgram, toStderr } from '../packages/llamacpp-native/native/programs.mjs';

const REDIS = {
  purpose: 'testing with Redis',
  packages: ['redis-server'],
  hints: ['Fedora: `sudo dnf install redis`', 'macOS: `brew install redis`'],
};

/** Absolute path of redis-server; root on Debian gets it installed when it is missing. */
export async function ensureRedisServer({ log = toStderr } = {}) {
  mkdirSync(cacheDir(), { recursive: true });
  await ensurePrograms([['redis-server']], REDIS, { log, logFile: join(cacheDir(), 'redis-server.log') });
  return join(findProgram('redis-server'), 'redis-server');
}
