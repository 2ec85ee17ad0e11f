import { AirframeError } from '../errors.ts';

const CLOSED = { problem: 'closed the connection in the middle of the exchange' };
const UNREACHABLE = { problem: 'cannot be reached from here', remedy: 'check baseUrl and the network' };
const UNKNOWN_HOST = { problem: 'has a host name that cannot be resolved', remedy: 'correct baseUrl' };

/** What the system calls the failure → what it means and what to do. */
const CONNECTION_PROBLEMS: Record<string, { problem: string; remedy?: string }> = {
  ECONNREFUSED: { problem: 'refused the connection', remedy: 'start the server there or correct baseUrl' },
  ENOTFOUND: UNKNOWN_HOST,
  EAI_AGAIN: UNKNOWN_HOST,
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  UND_ERR_SOCKET: CLOSED,
  ETIMEDOUT: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
};

/** Why a request got no answer, in words for whoever has set up the endpoint. @param url of the request */
export function connectionError(error: Error, url: string): AirframeError {
  const { code } = firstCause(error);
  const { origin } = new URL(url);
  if (code === 'UND_ERR_INVALID_ARG') {
    return new AirframeError('invalid_request', `the request to ${origin} cannot be made: ${error.message}`, {
      code: 'configuration',
      remedy: 'correct the headers and the key of the endpoint',
    });
  }
  if (code && /CERT|SIGNATURE|SELF_SIGNED/.test(code)) {
    const remedy = 'correct baseUrl, or let Node trust the certificate (NODE_EXTRA_CA_CERTS)';
    const problem = `${origin} has a certificate that cannot be trusted (${error.message})`;
    return new AirframeError('connection', problem, { code, remedy, retryable: false, cause: error });
  }
  const known = code ? CONNECTION_PROBLEMS[code] : undefined;
  const problem = known?.problem ?? `failed: ${error.message}`;
  return new AirframeError('connection', `${origin} ${problem}`, {
    code,
    remedy: known?.remedy,
    cause: error,
  });
}

/** A host with several addresses fails with one error for each; they are alike. */
function firstCause(error: Error): NodeJS.ErrnoException {
  return error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
}
