import { parseArgs } from 'node:util';

/**
 * Runs a benchmark as a command; what it cannot do is one line and exit code 1.
 * @param options of its own, as for `parseArgs`, beside `--check`, `--json` and `--only`
 * @param main gets their values and gives the exit code
 */
export async function command(options, main) {
  try {
    const only = { type: 'string', multiple: true, default: [] };
    const { values } = parseArgs({
      options: { check: { type: 'boolean' }, json: { type: 'string' }, only, ...options },
    });
    process.exitCode = await main(values);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

/** @returns per name behind `--only` the one of that name, or else all that have it in theirs */
export function named(names, all) {
  return names.flatMap(name => {
    const found = all.includes(name) ? [name] : all.filter(one => one.includes(name));
    if (found.length > 0) return found;
    throw new Error(`--only ${JSON.stringify(name)} names nothing; there are:\n  ${all.join('\n  ')}`);
  });
}

/** @param text what stands behind `--seed` */
export function seedOf(text) {
  const seed = Number(text);
  if (Number.isInteger(seed)) return seed;
  throw new Error(`--seed ${text} is no integer`);
}
