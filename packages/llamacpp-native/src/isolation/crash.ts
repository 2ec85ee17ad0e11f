import { fileURLToPath } from 'node:url';
import { AirframeError, type EndpointSpec } from '@x/airframe';

/** How a process ended, or that it never began. */
export interface Exit {
  code?: number | null;
  signal?: NodeJS.Signals | null;
  /** Why it could not be started. */
  failure?: Error;
  /** The end of what it wrote there. */
  stderr: string;
}

const AGAIN = 'send the call again: it starts a new process';
const REMEDIES: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: 'if the system ran out of memory, use a smaller model or lower options.contextTokens',
};

/** The error of a call that was under way when the engine's process ended: another process may well do it. */
export function crashError(exit: Exit, { baseUrl }: EndpointSpec): AirframeError {
  const { failure, signal, stderr } = exit;
  const how = failure ? `could not be started (${failure.message})` : endOf(exit);
  const said = lastWords(stderr);
  return new AirframeError('backend', `the engine's process for ${modelPath(baseUrl)} ${how}${said}`, {
    code: 'engine_crashed',
    retryable: true,
    remedy: (signal && REMEDIES[signal]) ?? AGAIN,
    raw: stderr || undefined,
    cause: failure,
  });
}

function endOf({ code, signal }: Exit): string {
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
}

/** The line that tells why, as far as one does; Node and llama.cpp write backtraces and banners around it. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter(line => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line));
  const said = lines.findLast(line => /error|assert|abort|fatal|exception/i.test(line)) ?? lines.at(-1);
  return said === undefined ? '' : `: ${said.trim()}`;
}

function modelPath(baseUrl: string): string {
  try {
    return fileURLToPath(baseUrl);
  } catch {
    return baseUrl;
  }
}
