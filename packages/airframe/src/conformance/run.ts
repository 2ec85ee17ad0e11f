import { CONFORMANCE_CASES } from './cases.ts';
import type { ConformanceCase } from './conformance-case.ts';
import { INVARIANTS } from './invariants.ts';
import { observe } from './observe.ts';
import { type ConformanceSubject, hasDialect } from './subject.ts';

/** A rule that an adapter breaks. */
export interface Violation {
  /** Name of the case. */
  case: string;
  /** Id of the invariant. */
  invariant: string;
  /** What was seen. */
  problem: string;
}

/** The cases that a subject can be put through: all for one with a dialect. */
export function casesFor(subject: ConformanceSubject): ConformanceCase[] {
  const adapter = subject.adapter();
  const { capabilities } = adapter;
  void adapter.close();
  return CONFORMANCE_CASES.filter(({ backend, needs }) => {
    const possible = backend === undefined || hasDialect(subject);
    return possible && (needs === undefined || capabilities[needs]);
  });
}

/** Plays one case. @returns what it breaks; nothing when all is well */
export async function checkCase(subject: ConformanceSubject, of: ConformanceCase): Promise<Violation[]> {
  const seen = await observe(subject, of);
  return INVARIANTS.flatMap(({ id, check }) => {
    const problem = check(seen);
    return problem === undefined ? [] : [{ case: of.name, invariant: id, problem }];
  });
}

/** Plays every case that fits, one after the other. For test runners other than vitest. */
export async function checkConformance(subject: ConformanceSubject): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const one of casesFor(subject)) violations.push(...(await checkCase(subject, one)));
  return violations;
}
