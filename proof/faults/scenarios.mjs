// What is promised where something fails, and the tests that show it. A row claims tests by their names:
// `file › describe › test`, with `*` for anything; what a claim leaves open behind its end is claimed as well.

import { CLIENTS, LIMITS, PROVIDERS, REQUESTS, UPSTREAMS } from './scenarios/gateway.mjs';
import { AIRFRAME, AVIONICS } from './scenarios/library.mjs';

/** Of whose tests each one has to be claimed by a row: a fault without a promise is a gap in the table. */
const ALL_CLAIMED = 'apps/gateway/test/gateway/faults-*.test.ts';

export const FILES = [
  ALL_CLAIMED,
  'packages/airframe/test/conformance/adapters.test.ts',
  'packages/airframe/src/wrap/retry.test.ts',
  'packages/airframe/src/adapters/openai-chat/quirks-tool-calls.test.ts',
  'packages/airframe/src/adapters/openai-chat/quirks.test.ts',
  'packages/avionics/src/gateway/{limits,mid-stream,stopping,gateway}.test.ts',
  'packages/avionics/src/limits/limiter.test.ts',
  'packages/avionics/src/routing/breaker.test.ts',
  'packages/avionics/src/nodes/ejection.test.ts',
];

/** Files that count what their process has in use. */
export const ALONE = ['packages/airframe/src/transport/leftovers.test.ts'];

/** `{ part, scenario, promise, tests }` each. */
export const SCENARIOS = [
  ...AIRFRAME,
  ...AVIONICS,
  ...UPSTREAMS,
  ...PROVIDERS,
  ...CLIENTS,
  ...LIMITS,
  ...REQUESTS,
];

/** @returns whether the claim is for the test of this key */
export function claims(claim, key) {
  const pattern = claim.split('*').map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}`).test(key);
}
