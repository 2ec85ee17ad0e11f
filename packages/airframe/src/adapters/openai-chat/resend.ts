import type { Reply } from '../../assemble/reply.ts';
import { type ExchangeOptions, exchange, type HttpCall } from '../../transport/exchange.ts';
import { refusedParameter } from '../../wire-openai/errors.ts';
import { createReader } from './stream.ts';

const OTHER_LIMIT: Readonly<Record<string, string>> = {
  max_tokens: 'max_completion_tokens',
  max_completion_tokens: 'max_tokens',
};

const DISPENSABLE: ReadonlySet<string> = new Set(['temperature', 'top_p', 'stream_options']);

/**
 * An exchange that gives way to a 400 or 422 naming a parameter: sent again without it, or with the token limit's
 * other name, once each, before any output.
 * @param asked the caller's own `extra`: what stands there was wanted by that name
 */
export async function resending(
  options: ExchangeOptions,
  call: HttpCall & { body: Record<string, unknown> },
  asked: object,
  reply: Reply,
): Promise<AsyncIterable<void>> {
  let refused: Set<string> | undefined;
  let parameter: string | undefined;
  const listening: ExchangeOptions = {
    ...options,
    readError: (status, body, headers) => {
      parameter = refusedParameter(status, body);
      return options.readError(status, body, headers);
    },
  };
  for (;;) {
    try {
      return await exchange(listening, call, createReader(reply), reply);
    } catch (error) {
      const now = parameter;
      parameter = undefined;
      const ours = now !== undefined && !Object.hasOwn(asked, now);
      refused ??= new Set();
      if (!ours || !giveWay(call.body, now, refused)) throw error;
    }
  }
}

/** @returns whether the body was changed, so that sending it again makes sense */
function giveWay(body: Record<string, unknown>, parameter: string, refused: Set<string>): boolean {
  const value = body[parameter];
  const other = OTHER_LIMIT[parameter];
  const can = other === undefined ? DISPENSABLE.has(parameter) : !refused.has(other);
  if (value === undefined || !can) return false;
  refused.add(parameter);
  delete body[parameter];
  if (other !== undefined) body[other] = value;
  return true;
}
