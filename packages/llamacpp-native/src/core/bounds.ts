import { AirframeError } from '@x/airframe';
import type { LlamaCppRequest } from '../request.ts';

/** llama.cpp reads grammars and schemas by functions that call themselves: a nesting without end overflows its stack. */
const MOST_NESTED = 200;

/** llama.cpp makes room for as many tokens as it is to look back, however few there are. */
const MOST_LAST_TOKENS = 1_048_576;
const LAST_TOKENS = ['repeat_last_n', 'dry_penalty_last_n'];

/**
 * The request within what llama.cpp can bear without harm to other requests and to the process.
 * @throws AirframeError invalid_request for a grammar or a schema that is nested too deeply
 */
export function bounded(request: LlamaCppRequest): LlamaCppRequest {
  const { extra, responseFormat, tools } = request;
  const given = { extra, responseFormat, tools };
  for (const [name, value] of Object.entries(given)) {
    if (nesting(value) > MOST_NESTED) throw tooDeep(name);
  }
  if (extra === undefined) return request;
  if (parentheses(String(extra.grammar ?? '')) > MOST_NESTED) throw tooDeep('extra.grammar');
  const tooMany = LAST_TOKENS.filter(name => Number(extra[name]) > MOST_LAST_TOKENS);
  if (tooMany.length === 0) return request;
  const fewer = Object.fromEntries(tooMany.map(name => [name, MOST_LAST_TOKENS]));
  return { ...request, extra: { ...extra, ...fewer } };
}

function tooDeep(what: string): AirframeError {
  return new AirframeError('invalid_request', `${what} is nested more than ${MOST_NESTED} times`, {
    remedy: 'make it flatter, for example by rules or $ref',
  });
}

/** Level by level, so that no depth can overflow this stack either; it stops where it is too deep. */
function nesting(value: unknown): number {
  let level = [value].filter(isObject);
  let depth = 0;
  while (level.length > 0 && depth <= MOST_NESTED) {
    level = level.flatMap(one => Object.values(one).filter(isObject));
    depth++;
  }
  return depth;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function parentheses(grammar: string): number {
  let depth = 0;
  let most = 0;
  for (const character of grammar) {
    if (character === '(') most = Math.max(most, ++depth);
    else if (character === ')') depth--;
  }
  return most;
}
