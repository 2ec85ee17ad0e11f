/** Stands where a secret stood. */
export const REDACTED = '***';

/** Shapes of keys that may stand in what a backend echoes, even when they are not the one we sent. */
export const KEY_SHAPES: RegExp =
  /\b(?:sk|pk|rk|gsk|xai|AIza)[-_A-Za-z0-9]{16,}|(?<=\bBearer\s+)[-._~+/A-Za-z0-9]{8,}=*/g;

/** A single letter, as it is given to servers that want any key, stands in every text. */
const MIN_SECRET_CHARS = 2;

/** Replaces the secrets given, and whatever looks like a key, by `***`. */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length >= MIN_SECRET_CHARS) clean = clean.replaceAll(secret, REDACTED);
  }
  return clean.replace(KEY_SHAPES, REDACTED);
}

/** The values of an endpoint that must not show up anywhere. */
export function secretsOf(endpoint: { apiKey?: string; headers?: Record<string, string> }): string[] {
  const fromHeaders = Object.entries(endpoint.headers ?? {})
    .filter(([name]) => /auth|key|token|secret|cookie/i.test(name))
    .flatMap(([, value]) => [value, value.replace(/^\w+\s+/, '')]);
  return [...(endpoint.apiKey ? [endpoint.apiKey] : []), ...fromHeaders].filter(Boolean);
}
