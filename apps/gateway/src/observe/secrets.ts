const NAMES =
  /^(?:x-)?(?:api-?key|authorization|proxy-authorization|cookie|set-cookie|password|secret|hash)$/i;
/** User and password of a URL, as in `redis://:password@host`. */
const CREDENTIALS = /(\w:\/\/)[^/@\s]+@/g;
const MASK = '***';
/** Nothing that is worth logging lies deeper. */
const MAX_DEPTH = 8;

/** The same value without what stands under the name of a secret, and without the credentials of URLs. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.replace(CREDENTIALS, `$1${MASK}@`);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return MASK;
  if (Array.isArray(value)) return value.map(item => withoutSecrets(item, depth + 1));
  // An error, a date or a socket has a form of its own in the log.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      NAMES.test(name) ? MASK : withoutSecrets(item, depth + 1),
    ]),
  );
}
