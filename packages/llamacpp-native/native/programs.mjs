// The system's programs: finds them, has apt-get install the missing ones where it may, runs them into a log file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

export const toStderr = line => process.stderr.write(`${line}\n`);
export const since = started => `${Math.round((Date.now() - started) / 1000)} s`;

const searchPath = () => (process.env.PATH ?? '').split(delimiter);
/** The folder of the PATH that holds a program. */
export const findProgram = name => searchPath().find(dir => isProgram(join(dir, name)));

export function isProgram(path) {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  return Boolean(stat?.isFile() && stat.mode & 0o111);
}

/**
 * @param needs lists of programs, of each of which one is enough. Root on Debian gets the missing ones installed.
 * @param what says what they are for and how to get them: `purpose`, `packages` of Debian, `hints` for other systems,
 * and `instead`, what to do without them
 */
export async function ensurePrograms(needs, { purpose, packages, hints, instead }, out) {
  const lacking = needs.filter(names => !names.some(findProgram)).map(names => names.join(' or '));
  if (lacking.length === 0) return;
  if (!fs.existsSync('/etc/debian_version') || process.getuid() !== 0) {
    const all = [`Debian, Ubuntu: \`sudo apt-get install ${packages.join(' ')}\``, ...hints].join('; ');
    const how = `install them (${all})${instead ? `, or ${instead}` : ''}`;
    throw new Error(`${purpose} needs ${lacking.join(', ')}; ${how}`);
  }
  out.log(`installing ${packages.join(' ')}, for lack of ${lacking.join(', ')}`);
  await run('apt-get update', 'apt-get', ['update'], out);
  await run('apt-get install', 'apt-get', ['install', '-y', '--no-install-recommends', ...packages], out);
}

/** Runs a program into logFile. Tells `log` of each 10 % done; until the first, every 10 s that it runs. */
export async function run(step, command, args, { log, logFile }) {
  const started = Date.now();
  let tenths = 0;
  const onLine = line => {
    fs.appendFileSync(logFile, `${line}\n`);
    // make writes [ 42%], ninja [42/100]
    const [, percent, done, total] = /^\[\s*(?:(\d+)%|(\d+)\/(\d+))\]/.exec(line) ?? [];
    const now = Math.floor(Number(percent ?? (100 * done) / total) / 10);
    if (!(now > tenths)) return; // NaN on the lines without progress
    tenths = now;
    log(`${step}: ${tenths}0 % after ${since(started)}`);
  };
  log(step);
  onLine(`$ ${command} ${args.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NINJA_STATUS: '[%f/%t] ' };
  // Not in the caller's folder: a linker check of ggml's cmake files deletes `a.out` where it runs.
  const cwd = dirname(logFile);
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => child.kill();
  process.once('exit', kill);
  const beat = setInterval(() => tenths === 0 && log(`${step}: ${since(started)}`), 10_000);
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', onLine);
  const [code, signal] = await once(child, 'close').finally(() => {
    clearInterval(beat);
    process.off('exit', kill);
  });
  if (code === 0) return;
  const how = `\`${command}\` ended with ${signal ?? `exit code ${code}`}`;
  const tail = fs.readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
  throw new Error(`${step}: ${how}; all its output is in ${logFile}, the last lines are:\n${tail}`);
}

/** Runs `main` with the command line's arguments; a failure is one line on stderr and exit code 1. */
export async function command(main) {
  // So that the exit listeners end the compiler and free the lock.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    toStderr(error.message);
    process.exitCode = 1;
  }
}
