import { CONFORMANCE_CASES, CONFORMANCE_KEY, checkCase, INVARIANTS } from '@x/airframe/conformance';
import { describe, expect, it } from 'vitest';
import { BROKEN_ADAPTERS } from './broken-adapters.ts';
import { chatDialect } from './subjects.ts';

describe('the conformance kit finds an adapter that', () => {
  it.each(BROKEN_ADAPTERS)(
    '$mistake',
    async ({ adapter, in: name, breaks }) => {
      const one = CONFORMANCE_CASES.find(candidate => candidate.name === name);
      if (!one) throw new Error(`no case is named ${name}`);
      const violations = await checkCase(
        {
          name: 'broken',
          adapter,
          endpoint: baseUrl => ({
            name: 'scripted',
            backendKind: 'openai_chat',
            baseUrl,
            model: 'm',
            apiKey: CONFORMANCE_KEY,
          }),
          dialect: chatDialect,
        },
        one,
      );
      const broken = [...new Set(violations.map(({ invariant }) => invariant))];
      expect(broken.sort(), JSON.stringify(violations)).toEqual([...breaks].sort());
    },
    60_000,
  );

  it('breaks any of its invariants', () => {
    const broken = new Set(BROKEN_ADAPTERS.flatMap(({ breaks }) => breaks));
    expect(INVARIANTS.map(({ id }) => id).filter(id => !broken.has(id))).toEqual([]);
  });
});
