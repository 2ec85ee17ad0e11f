import type { Usage } from './events.ts';

/** Every way a call can fail. Closed: a switch over it is exhaustive. */
export const ERROR_CATEGORIES = [
  'timeout',
  'connection',
  'backend',
  'parse',
  'unknown',
  'rate_limit',
  'overloaded',
  'quota',
  'auth',
  'invalid_request',
  'not_found',
  'context_length',
  'content_filter',
  'aborted',
] as const;

/** What kind of failure it is: what callers decide by. */
export type ErrorCategory = (typeof ERROR_CATEGORIES)[number];

/** Categories whose cause may be gone when the same call is sent again to the same endpoint. */
const RETRYABLE: ReadonlySet<ErrorCategory> = new Set(['timeout', 'connection', 'rate_limit', 'overloaded']);

/** One try of a call, as it stands in the attempt log of `done` and of errors. */
export interface Attempt {
  /** 1 for the first try. */
  number: number;
  /** Name of the endpoint tried. */
  endpoint: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Milliseconds. */
  durationMs: number;
  /** `ok`, or the category of the error that ended the try. */
  outcome: 'ok' | ErrorCategory;
  /** HTTP status, when an answer came. */
  status?: number;
  /** The backend's request id, when it gave one. */
  requestId?: string;
  /** The error's message, when the try failed. */
  message?: string;
  /** Milliseconds waited after this try before the next one. */
  waitedMs?: number;
  /** Of a try that failed: the tokens it had used by then, where any are known. `done.usage` is that of the last try. */
  usage?: Usage;
}

/** The entry of a try in the attempt log. */
export function attemptOf(
  facts: Pick<Attempt, 'endpoint' | 'startedAt' | 'durationMs'> & {
    status?: number | undefined;
    requestId?: string | undefined;
    usage?: Usage | undefined;
  },
  error?: AirframeError,
): Attempt {
  const { endpoint, startedAt, durationMs, usage } = facts;
  const status = facts.status ?? error?.status;
  const requestId = facts.requestId ?? error?.requestId;
  const attempt: Attempt = {
    number: 1,
    endpoint,
    startedAt,
    durationMs,
    outcome: error ? error.category : 'ok',
  };
  if (status) attempt.status = status;
  if (requestId) attempt.requestId = requestId;
  if (error) attempt.message = error.problem;
  if (error && usage && usage.totalTokens > 0) attempt.usage = usage;
  return attempt;
}

/** What an {@link AirframeError} says beside its category and message. */
export interface AirframeErrorOptions {
  /** Whether the same call may succeed when sent again. Default: by category. */
  retryable?: boolean | undefined;
  /** Milliseconds the backend asked to wait before another try. */
  retryAfterMs?: number | undefined;
  /** HTTP status. */
  status?: number | undefined;
  /** The backend's own error code or type. */
  code?: string | undefined;
  /** The backend's request id. */
  requestId?: string | undefined;
  attempts?: readonly Attempt[] | undefined;
  /** What the backend sent, as far as it helps. Cut to {@link MAX_RAW_CHARS}; must be redacted by the caller. */
  raw?: string | undefined;
  /** What the user can do about it, without a full stop; stands behind the problem in `message`. */
  remedy?: string | undefined;
  /** With `context_length`: tokens the prompt has. */
  promptTokens?: number | undefined;
  /** With `context_length`: tokens the context holds. */
  contextTokens?: number | undefined;
  cause?: unknown;
}

/** Longest `raw` an error keeps, in characters. */
export const MAX_RAW_CHARS = 2_000;

/** Shared by all copies of this package in a process, so that `isAirframeError` holds across duplicate installs. */
const MARKER = Symbol.for('@x/airframe.error');

/** The one error of this package. `category` says what failed; `message` what to do about it. */
export class AirframeError extends Error {
  override readonly name = 'AirframeError';
  readonly category: ErrorCategory;
  /** What failed: `message` without the remedy. */
  readonly problem: string;
  readonly remedy: string | undefined;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  readonly attempts: readonly Attempt[];
  readonly raw: string | undefined;
  readonly promptTokens: number | undefined;
  readonly contextTokens: number | undefined;

  /** @param problem what failed, with which value; one line */
  constructor(category: ErrorCategory, problem: string, options: AirframeErrorOptions = {}) {
    const { remedy, cause } = options;
    super(remedy ? `${problem}; ${remedy}` : problem, cause === undefined ? undefined : { cause });
    this.problem = problem;
    this.remedy = remedy;
    Object.defineProperty(this, MARKER, { value: true });
    this.category = category;
    this.retryable = options.retryable ?? RETRYABLE.has(category);
    this.retryAfterMs = options.retryAfterMs;
    this.status = options.status;
    this.code = options.code;
    this.requestId = options.requestId;
    this.attempts = options.attempts ?? [];
    this.raw = options.raw?.slice(0, MAX_RAW_CHARS);
    this.promptTokens = options.promptTokens;
    this.contextTokens = options.contextTokens;
  }

  /** The same error with some of its facts replaced. */
  with(changes: Pick<AirframeErrorOptions, 'attempts' | 'remedy'>): AirframeError {
    return new AirframeError(this.category, this.problem, { ...this, cause: this.cause, ...changes });
  }

  /** As {@link isAirframeError}: of any copy of this package, its subpaths being copies of their own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this, and knows only its own instances.
    return this === AirframeError ? isAirframeError(value) : super[Symbol.hasInstance](value);
  }

  /** Any thrown value as an AirframeError; one that is one already is returned as it is. */
  static from(value: unknown): AirframeError {
    if (isAirframeError(value)) return value;
    if (value instanceof Error) {
      return value.name === 'AbortError'
        ? new AirframeError('aborted', 'the call was aborted', { cause: value })
        : new AirframeError('unknown', value.message || value.name, { cause: value });
    }
    return new AirframeError('unknown', String(value), { cause: value });
  }
}

/** True for an AirframeError of any copy of this package. */
export function isAirframeError(value: unknown): value is AirframeError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[MARKER] === true;
}
