// What the proofs share: their command line, and the file that docs/proof.md is made of.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { figuresOf } from '../scripts/figures.mjs';

/**
 * Runs a proof as a command: exit code 1 where something promised was not seen.
 * @param options of its own, as for `parseArgs`, beside `--json FILE`
 * @param main gets their values, and gives `{ held, figures }`; figures have `command`, `rows` and whatever else was seen
 */
export async function proof(name, code, options, main) {
  try {
    const { values } = parseArgs({ options: { json: { type: 'string' }, ...options } });
    const { held, figures } = await main(values);
    if (values.json) {
      const content = figuresOf({ name, ...figures, held }, code);
      writeFileSync(resolve(values.json), `${JSON.stringify(content, null, 2)}\n`);
      console.log(`\nwritten: ${values.json}`);
    }
    console.log(held ? '\nheld' : '\nNOT HELD');
    process.exitCode = held ? 0 : 1;
  } catch (error) {
    console.error(error.stack ?? error.message);
    process.exitCode = 1;
  }
}

/** @returns the number behind an option, which has to be above 0 */
export function positive(text, option) {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new Error(`--${option} ${text} is no number above 0`);
}
