// Runs modules one after the other, in one process, and tells its parent of each: `{ index, problem? }`.
import { register } from 'node:module';
import { inspect } from 'node:util';

const { modules, places } = await new Promise(resolve => process.once('message', resolve));
register('./resolve-hooks.mjs', import.meta.url, { data: places });
const { resetSettings } = await import('../../packages/avionics/src/index.ts');

/** Longest that a fence may take, in milliseconds; on a busy machine, too. */
const LONGEST = 20_000;

/** Stands where a page says what is printed. */
globalThis.prints = (text, ...values) => {
  const shown = values.map(value =>
    typeof value === 'string' ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY }),
  );
  if (shown.join(' ') !== text) throw new Error(`prints ${shown.join(' ')}, where the page has ${text}`);
};

let late = '';
process.on('unhandledRejection', error => {
  late = String(error?.stack ?? error);
});

for (const [index, url] of modules.entries()) {
  let timer;
  late = '';
  resetSettings();
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`does not end within ${LONGEST} ms`)), LONGEST);
  });
  let problem;
  try {
    await Promise.race([import(url), tooLong]);
  } catch (error) {
    problem = String(error?.stack ?? error);
  }
  clearTimeout(timer);
  // What a fence has left behind may still fail.
  await new Promise(resolve => setImmediate(resolve));
  process.send({ index, problem: problem ?? (late || undefined) });
}
process.disconnect();
// A fence may leave open what a program would close when it ends.
process.exit();
