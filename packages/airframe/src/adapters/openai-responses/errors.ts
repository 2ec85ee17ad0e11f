import { errorIn, refusedParameter as namedParameter } from '../../wire-openai/errors.ts';

/** The parameter that a model refuses. */
export function refusedParameter(status: number, body: unknown): string | undefined {
  const error = errorIn(body);
  const message = typeof error === 'object' ? error.message : error;
  // Models that do not reason (NousResearch/hermes-agent#24234, 2026-05); param is not always set.
  const unencrypted = status === 400 && /encrypted content is not supported/i.test(String(message));
  return unencrypted ? 'include' : namedParameter(status, body);
}
