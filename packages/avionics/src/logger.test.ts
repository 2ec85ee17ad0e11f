import { Console } from 'node:console';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Logger, loggerOf, silentLogger } from './logger.ts';

/** Pino's own words for a log method: `pino.LogFn`. */
interface PinoLogFn {
  (fields: unknown, message?: string, ...values: unknown[]): void;
  (message: string, ...values: unknown[]): void;
}

interface PinoStandIn {
  debug: PinoLogFn;
  info: PinoLogFn;
  warn: PinoLogFn;
  error: PinoLogFn;
  bindings(): Record<string, unknown>;
  child(bindings: Record<string, unknown>): PinoStandIn;
}

/** Logs as pino documents it: an object in front is merged into the line, values behind a message only format it. */
function pinoStandIn(lines: object[], bindings: Record<string, unknown> = {}): PinoStandIn {
  const at = (level: number): PinoLogFn =>
    function (this: unknown, first: unknown, message?: unknown) {
      if (typeof this !== 'object') throw new TypeError('pino’s methods need their logger');
      const merged =
        typeof first === 'object' ? { ...first, ...(message ? { msg: message } : {}) } : { msg: first };
      lines.push({ level, ...bindings, ...merged });
    };
  return {
    debug: at(20),
    info: at(30),
    warn: at(40),
    error: at(50),
    bindings: () => bindings,
    child: more => pinoStandIn(lines, { ...bindings, ...more }),
  };
}

describe('a logger', () => {
  it('may be pino as it is: message and fields both stand in the line', () => {
    const lines: object[] = [];
    const given: Logger = pinoStandIn(lines);
    const logger = loggerOf(given);
    logger.debug('asking', { provider: 'mock' });
    logger.info('asked');
    logger.warn('provider mock failed', { error: 'busy' });
    logger.error('100 %s lost', { error: 'gone' });
    expect(lines).toEqual([
      { level: 20, msg: 'asking', provider: 'mock' },
      { level: 30, msg: 'asked' },
      { level: 40, msg: 'provider mock failed', error: 'busy' },
      { level: 50, msg: '100 %s lost', error: 'gone' },
    ]);
  });

  it('may be a child of pino, whose bindings stay', () => {
    const lines: object[] = [];
    loggerOf(pinoStandIn(lines).child({ app: 'demo' })).warn('slow', { ms: 9 });
    expect(lines).toEqual([{ level: 40, app: 'demo', msg: 'slow', ms: 9 }]);
  });

  it('may be the console as it is: the message comes first, the fields behind it', () => {
    const stream = new PassThrough();
    loggerOf(new Console(stream, stream)).warn('provider mock failed', { error: 'busy' });
    expect(String(stream.read())).toBe("provider mock failed { error: 'busy' }\n");
    expect(loggerOf(console)).toBe(console);
  });

  it('is adapted once, however often it is handed on', () => {
    const lines: object[] = [];
    const logger = loggerOf(loggerOf(pinoStandIn(lines)));
    logger.warn('once', { n: 1 });
    expect(lines).toEqual([{ level: 40, msg: 'once', n: 1 }]);
  });

  it('that nobody gives says nothing', () => {
    expect(loggerOf(undefined)).toBe(silentLogger);
  });
});
