import type { Engine } from './engine.ts';
import { LogSinks } from './log-sinks.ts';
import { engineOver } from './node-llama-engine.ts';

/** Who reads the log of {@link processEngine}. */
export const processLog: LogSinks = new LogSinks();

/** The engine of all adapters that bring none: one for the process, so that they share what it has loaded. */
export const processEngine: Engine = engineOver(processLog);
