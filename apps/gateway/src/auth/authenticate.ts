import type { IncomingHttpHeaders } from 'node:http';
import { AirframeError } from '@x/airframe';
import { GATEWAY_CODES } from '../protocols/status.ts';
import type { Key, KeyRing } from './keys.ts';

/** The key a client shows: as OpenAI's clients do, as Anthropic's, or as Azure's. */
export function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  const bearer = authorization && /^Bearer\s+(\S+)\s*$/i.exec(authorization)?.[1];
  if (bearer) return bearer;
  for (const name of ['x-api-key', 'api-key']) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** @throws AirframeError (auth, code of {@link GATEWAY_CODES.key}) when nobody has that key */
export function authenticate(keys: KeyRing, headers: IncomingHttpHeaders): Key {
  const presented = presentedKey(headers);
  if (presented === undefined) {
    throw new AirframeError('auth', 'the request has no key', {
      code: GATEWAY_CODES.key,
      remedy: 'send it as `Authorization: Bearer <key>` or `x-api-key: <key>`',
    });
  }
  const key = keys.find(presented);
  if (key) return key;
  throw new AirframeError('auth', 'the key is not one of this gateway, or its time is over', {
    code: GATEWAY_CODES.key,
    remedy: 'ask who runs the gateway for a new one',
  });
}

/** @throws AirframeError (auth, code of {@link GATEWAY_CODES.forbidden}) when the key is not for this model */
export function checkModel(key: Key, model: string): void {
  if (key.mayUse(model)) return;
  throw new AirframeError('auth', `key ${key.name} may not use the model ${JSON.stringify(model)}`, {
    code: GATEWAY_CODES.forbidden,
    remedy: 'name another model, or have it added to `models` of the key',
  });
}

/** @throws AirframeError (auth, code of {@link GATEWAY_CODES.forbidden}) for a key without `admin` */
export function checkAdmin(key: Key): void {
  if (key.admin) return;
  throw new AirframeError('auth', `key ${key.name} is no admin key`, {
    code: GATEWAY_CODES.forbidden,
    remedy: 'use one with `admin: true`',
  });
}
