import { name as nameSchema } from '../config/fields.ts';
import { makeKey } from './keys.ts';

/**
 * What `airframe-gateway key [name]` prints: a new key, this once, and the lines for the configuration.
 * @throws Error for a name that the configuration would not take
 */
export function keyCommand(name = 'me'): string {
  const { error } = nameSchema.safeParse(name);
  if (error) throw new Error(`a key cannot be named ${JSON.stringify(name)}; ${error.issues[0]?.message}`);
  const { key, hash } = makeKey();
  return [
    `The key, which is shown only now: ${key}`,
    '',
    'Its lines in gateway.yaml:',
    '',
    'keys:',
    `  - name: ${JSON.stringify(name)}`,
    `    hash: ${hash}`,
    '    # admin: true         # may open the console',
    '    # models: [pilot]     # default: all',
    '    # usdPerDay: 5',
    '',
  ].join('\n');
}
