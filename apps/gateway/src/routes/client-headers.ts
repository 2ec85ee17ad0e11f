import type { IncomingHttpHeaders } from 'node:http';
import { AirframeError } from '@x/airframe';

// What a client may say of a call beside its body.

const NAME = /^[\w.-]{1,64}$/;

/** `x-gateway-agent`: who asks. @throws AirframeError (invalid_request) */
export function agentOf(headers: IncomingHttpHeaders): string | undefined {
  const agent = one(headers, 'x-gateway-agent');
  if (agent === undefined || NAME.test(agent)) return agent;
  throw wrong('x-gateway-agent', agent, 'use up to 64 letters, digits, `_`, `.` or `-`');
}

/** `x-gateway-tags`: labels for budgets, by comma. @throws AirframeError (invalid_request) */
export function tagsOf(headers: IncomingHttpHeaders): string[] | undefined {
  const list = one(headers, 'x-gateway-tags');
  if (list === undefined) return undefined;
  const tags = list.split(',').map(tag => tag.trim());
  if (tags.length <= 16 && tags.every(tag => NAME.test(tag))) return tags;
  throw wrong('x-gateway-tags', list, 'give up to 16 names by comma');
}

/** `x-gateway-timeout`: seconds for this call, below the gateway's own. @throws AirframeError (invalid_request) */
export function timeoutOf(headers: IncomingHttpHeaders, maxMs: number): number {
  const asked = one(headers, 'x-gateway-timeout');
  if (asked === undefined) return maxMs;
  const seconds = Number(asked);
  if (seconds > 0) return Math.min(maxMs, seconds * 1_000);
  throw wrong('x-gateway-timeout', asked, 'give seconds above 0');
}

/** The headers that go on to providers, where the configuration says so. */
export function forwarded(
  headers: IncomingHttpHeaders,
  names: readonly string[] | undefined,
): Record<string, string> | undefined {
  if (!names?.length) return undefined;
  const found = names.flatMap(name => {
    const value = one(headers, name.toLowerCase());
    return value === undefined ? [] : [[name.toLowerCase(), value]];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

function one(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function wrong(header: string, value: string, remedy: string): AirframeError {
  return new AirframeError(
    'invalid_request',
    `the header ${header} is ${JSON.stringify(value.slice(0, 80))}`,
    {
      remedy,
    },
  );
}
