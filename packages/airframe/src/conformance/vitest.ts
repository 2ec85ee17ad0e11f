import { describe, expect, it } from 'vitest';
import { casesFor, checkCase } from './run.ts';
import type { ConformanceSubject } from './subject.ts';

/** Longest time for a case: its own waits are shorter. */
const TIMEOUT_MS = 60_000;

/** One vitest test for each case of the conformance kit; a failure names the invariant and what was seen. */
export function testConformance(subject: ConformanceSubject): void {
  describe(`${subject.name} conforms to the stream contract`, () => {
    it.each(casesFor(subject))(
      '$name',
      async one => {
        const broken = (await checkCase(subject, one)).map(
          ({ invariant, problem }) => `${invariant}: ${problem}`,
        );
        expect(broken).toEqual([]);
      },
      TIMEOUT_MS,
    );
  });
}
