import { randomUUID } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { AirframeError } from '@x/airframe';
import { openAIError } from '../protocols/openai-error.ts';

/** What Node's parser finds wrong with a request, by its codes. */
const STATUSES: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers what is no HTTP that could be routed, in OpenAI's words, and closes the connection.
 * @param maxHeaderBytes of all headers of a request
 */
export function clientErrorAnswerer(
  maxHeaderBytes: number,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  const problems: Readonly<Record<number, string>> = {
    431: `the headers are larger than ${maxHeaderBytes} bytes; send less, or raise server.maxHeaderBytes`,
    408: 'the request did not come to its end in time',
    400: 'the request is no HTTP that can be read',
  };
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    const status = STATUSES[error.code ?? ''] ?? 400;
    if (socket.writable && !isAnswering(socket)) {
      const problem = new AirframeError('invalid_request', problems[status] ?? '');
      const body = JSON.stringify(openAIError(problem, randomUUID()));
      const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\n`;
      socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    }
    socket.destroy(error);
  };
}

/** Whether an answer is under way already, which another one would only garble; Node asks its own field, too. */
function isAnswering(socket: Socket & { _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent ?? false;
}
