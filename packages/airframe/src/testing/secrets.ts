import { KEY_SHAPES, REDACTED, redact } from '../transport/redact.ts';

const SECRET_NAME = /auth|key|token|secret|cookie|passw|credential|session|signature|^sig$/i;
/** Names that look secret and are not: rate limits, CORS, challenges. */
const HARMLESS_NAME = /rate-?limit|token-?limit|^access-control-|authenticate$/i;

/** Shortest value of a secret header that is looked for elsewhere: `none` stands in many texts. In characters. */
const MIN_CHARS = 6;

const COOKIE = /(?:^|[;,]\s*)(?!(?:path|domain|expires|max-age|samesite)=)[^=;,\s]+=([^;,\s]+)/gi;
const QUERY = /([?&])([^=&#]+)=([^&#]*)/g;

function looksSecret(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name);
}

/** The forms in which a text shows up: as it is, in JSON (with and without `\/`), in a URL. */
function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  return [secret, json, json.replaceAll('/', '\\/'), encodeURIComponent(secret)];
}

/** What must not stand in a recording: the secrets given, and the values of what is secret by its name. */
export class Secrets {
  readonly #forms = new Set<string>();

  constructor(given: readonly string[] = []) {
    for (const secret of given) this.#add(secret);
  }

  /** Takes over the values of all headers and query parameters whose name looks secret. */
  learn(headers: Record<string, string>, url?: string): void {
    for (const [name, value] of Object.entries(headers)) {
      if (!looksSecret(name)) continue;
      const found = /cookie/i.test(name)
        ? [...value.matchAll(COOKIE)].map(match => match[1] ?? '')
        : [value, value.replace(/^\w+\s+/, '')];
      this.#learn(...found);
    }
    if (url === undefined) return;
    const { searchParams, password } = new URL(url);
    this.#learn(password);
    for (const [name, value] of searchParams) if (looksSecret(name)) this.#learn(value);
  }

  /** A text with `***` in place of each secret and whatever looks like a key. */
  text(text: string): string {
    // The longest first, or what is left of a longer one would stay.
    return redact(
      text,
      [...this.#forms].sort((a, b) => b.length - a.length),
    );
  }

  headers(headers: Record<string, string>): Record<string, string> {
    return Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, looksSecret(name) ? REDACTED : this.text(value)]),
    );
  }

  url(url: string): string {
    const { username, password } = new URL(url);
    const open = username || password ? url.replace(/\/\/[^/@]*@/, `//${REDACTED}@`) : url;
    const named = open.replace(QUERY, (all, mark: string, name: string) =>
      looksSecret(name) ? `${mark}${name}=${REDACTED}` : all,
    );
    return this.text(named);
  }

  /**
   * The chunks of one body with each byte of a secret overwritten by `*`: lengths and boundaries stay as they
   * are, wherever a boundary falls.
   */
  body(chunks: readonly Uint8Array[]): Uint8Array[] {
    const bytes = Buffer.concat(chunks);
    const clean = Buffer.from(bytes);
    const mask = (from: number, length: number) => clean.fill('*', from, from + length);
    for (const form of this.#forms) {
      const secret = Buffer.from(form);
      for (let at = bytes.indexOf(secret); at >= 0; at = bytes.indexOf(secret, at + 1)) {
        mask(at, secret.length);
      }
      const half = unfinished(bytes, secret);
      mask(bytes.length - half, half);
    }
    // One character a byte, so that the places are the same.
    for (const match of bytes.toString('latin1').matchAll(KEY_SHAPES)) mask(match.index, match[0].length);
    let at = 0;
    return chunks.map(({ length }) => {
      const piece = clean.subarray(at, at + length);
      at += length;
      return piece;
    });
  }

  #learn(...values: string[]): void {
    for (const value of values) if (value.length >= MIN_CHARS) this.#add(value);
  }

  #add(secret: string): void {
    if (secret !== '') for (const form of formsOf(secret)) this.#forms.add(form);
  }
}

/** Bytes of a secret's beginning with which a body ends that was cut off there. */
function unfinished(bytes: Buffer, secret: Buffer): number {
  for (let length = Math.min(secret.length - 1, bytes.length); length >= MIN_CHARS; length--) {
    if (bytes.subarray(bytes.length - length).equals(secret.subarray(0, length))) return length;
  }
  return 0;
}
