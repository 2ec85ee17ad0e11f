import { hash, randomBytes } from 'node:crypto';
import type { KeyConfig } from '../config/schema.ts';

const DAY_MS = 86_400_000;

/** A key and what the configuration holds in its place. */
export interface MadeKey {
  /** `xg-` and 256 random bits in 43 characters (base64url). */
  key: string;
  /** `sha256:` and 64 hex digits. */
  hash: string;
}

/** Makes a key. It is nowhere but in what is returned. */
export function makeKey(): MadeKey {
  const key = `xg-${randomBytes(32).toString('base64url')}`;
  return { key, hash: hashOf(key) };
}

/** One fast hash and no salt: nobody can guess 256 random bits, and a password is no key here. */
export function hashOf(key: string): string {
  return `sha256:${hash('sha256', key)}`;
}

/** Who calls, and what they may do. Holds no secret. */
export class Key {
  readonly name: string;
  readonly admin: boolean;
  /** Agent name of its calls, unless they name one. */
  readonly agent: string;
  /** Most calls at once, in each replica; undefined: no limit. */
  readonly maxConcurrent: number | undefined;
  readonly #models: readonly string[] | undefined;
  /** Milliseconds since the epoch. */
  readonly #expiresAt: number;

  constructor({ name, admin = false, agent = 'unknown', maxConcurrent, models, expires }: KeyConfig) {
    this.name = name;
    this.admin = admin;
    this.agent = agent;
    this.maxConcurrent = maxConcurrent;
    this.#models = models;
    this.#expiresAt = expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires) + DAY_MS;
  }

  /**
   * @param model as a client names it: an alias, or `<provider>/<model>`; a `*` at the end of a name in the
   * configuration stands for any rest
   */
  mayUse(model: string): boolean {
    const fits = (allowed: string) =>
      allowed.endsWith('*') ? model.startsWith(allowed.slice(0, -1)) : model === allowed;
    return this.#models?.some(fits) ?? true;
  }

  /** @param now milliseconds since the epoch */
  isExpired(now: number = Date.now()): boolean {
    return now >= this.#expiresAt;
  }
}

/** The keys of a configuration, found by what a client presents. */
export class KeyRing {
  readonly #byHash: ReadonlyMap<string, Key>;

  constructor(keys: readonly KeyConfig[]) {
    this.#byHash = new Map(
      keys.flatMap(config => {
        const key = new Key(config);
        return [config.hash].flat().map(hash => [hash, key] as const);
      }),
    );
  }

  /**
   * The key, unless it is unknown or has expired. How long the search takes tells nothing: it compares hashes, and a
   * client that cannot choose what its guess hashes to learns nothing from how far one of these is like another.
   * @param now milliseconds since the epoch
   */
  find(presented: string, now: number = Date.now()): Key | undefined {
    // Whatever hash a configuration holds: nothing is no key.
    const key = presented === '' ? undefined : this.#byHash.get(hashOf(presented));
    return key?.isExpired(now) ? undefined : key;
  }
}
