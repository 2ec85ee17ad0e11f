import type { RequestRecord } from '../contract.ts';

/** Fields that can be asked for by name: `status:429`. */
const FIELDS: Record<string, (record: RequestRecord) => (string | number | undefined)[]> = {
  id: ({ id }) => [id],
  key: ({ key }) => [key],
  agent: ({ agent }) => [agent],
  model: ({ model, answeredBy }) => [model, answeredBy],
  provider: ({ provider, attempts }) => [provider, ...attempts.map(attempt => attempt.provider)],
  node: ({ node, attempts }) => [node, ...attempts.map(attempt => attempt.node)],
  protocol: ({ protocol }) => [protocol],
  state: ({ state }) => [state],
  status: ({ status }) => [status],
  error: ({ error, attempts }) => [
    error?.category,
    error?.message,
    ...attempts.filter(({ outcome }) => outcome !== 'ok').map(({ outcome }) => outcome),
  ],
  cache: ({ cache }) => [cache],
  finish: ({ finishReason }) => [finishReason],
};

export const FIELD_NAMES: readonly string[] = Object.keys(FIELDS);

/**
 * What a query lets through. Words stand for any field, `field:word` for one; all must be found, as parts of words, in
 * any case.
 */
export function matcherOf(query: string): (record: RequestRecord) => boolean {
  const terms = query
    .toLowerCase()
    .split(/\s+/)
    .filter(term => term !== '')
    .map(term => {
      const [name = '', ...rest] = term.split(':');
      const field = rest.length > 0 ? FIELDS[name] : undefined;
      return field ? { field, word: rest.join(':') } : { field: anyField, word: term };
    });
  return record =>
    terms.every(({ field, word }) =>
      field(record).some(value => value !== undefined && String(value).toLowerCase().includes(word)),
    );
}

function anyField(record: RequestRecord): (string | number | undefined)[] {
  return Object.values(FIELDS).flatMap(field => field(record));
}
