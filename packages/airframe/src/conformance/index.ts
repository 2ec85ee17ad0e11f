export { CONFORMANCE_CASES } from './cases.ts';
export type { BackendScript, CallerScript, ConformanceCase, Expectation } from './conformance-case.ts';
export type { Invariant } from './invariants/invariant.ts';
export { INVARIANTS } from './invariants.ts';
export { type Observation, observe } from './observe.ts';
export { casesFor, checkCase, checkConformance, type Violation } from './run.ts';
export { type ScriptedBackend, scriptedBackend } from './scripted-backend.ts';
export {
  CONFORMANCE_KEY,
  type ConformanceSubject,
  type Dialect,
  type Frame,
  type ScriptedReply,
  type ScriptedToolCall,
} from './subject.ts';
