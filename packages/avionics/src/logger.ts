/** Facts beside a log message. Never holds keys, prompts or answers. */
export type LogFields = Record<string, unknown>;

/**
 * What this package needs of a logger: `console` and winston, which take the message first, and pino, which takes
 * the fields first, fit as they are. {@link loggerOf} tells them apart.
 */
export interface Logger {
  /** What helps while looking for a fault. */
  debug(message: string, fields?: LogFields): void;
  /** What happens as it should. */
  info(message: string, fields?: LogFields): void;
  /** What somebody should look at. */
  warn(message: string, fields?: LogFields): void;
  /** What failed. */
  error(message: string, fields?: LogFields): void;
}

const nothing = (): void => {};

/** The default: says nothing. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** A logger as it writes when the fields come first. */
type FieldsFirst = Record<keyof Logger, (fields: LogFields, message: string) => void>;

/**
 * The logger a user gave, to be called with the message first; none says nothing. To be used wherever a logger comes
 * in: pino would take fields behind a message for the values of a format string, and drop them.
 */
export function loggerOf(given: Logger | undefined): Logger {
  if (given === undefined) return silentLogger;
  return isPino(given) ? messageFirst(given) : given;
}

/** Pino and its children have had `bindings()` since 5.11; neither `console` nor winston has it. */
function isPino(logger: object): logger is FieldsFirst {
  return 'bindings' in logger && typeof logger.bindings === 'function';
}

function messageFirst(logger: FieldsFirst): Logger {
  const at =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}): void =>
      logger[level](fields, message);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
