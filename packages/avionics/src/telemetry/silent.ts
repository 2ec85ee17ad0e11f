import type { AttemptTelemetry } from './attempt.ts';
import type { OperationTelemetry } from './operation.ts';

const nothing = (): void => {};

export const SILENT_ATTEMPT: AttemptTelemetry = {
  headers: () => undefined,
  run: work => work(),
  annotate: nothing,
  routed: nothing,
  chunk: nothing,
  ended: nothing,
};

/** Where neither spans nor metrics go anywhere: nothing is made, nothing is kept. */
export const SILENT_OPERATION: OperationTelemetry = {
  attempt: () => SILENT_ATTEMPT,
  run: work => work(),
  annotate: nothing,
  ended: nothing,
};
