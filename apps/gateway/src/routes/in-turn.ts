import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AirframeError } from '@x/airframe';

/**
 * Resolves when the answers in front of this one, on a connection that brings calls without waiting for their answers,
 * are over. A call made sooner would have nowhere to write, and would not hear when its client goes.
 * @throws AirframeError (aborted) when the client goes meanwhile
 */
export async function inTurn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (response.socket) return;
  const { socket } = request;
  // One listener for each call that waits: many on one connection are no leak.
  setMaxListeners(0, socket);
  await new Promise<void>((resolve, reject) => {
    const gone = () => reject(new AirframeError('aborted', 'the client has gone'));
    socket.once('close', gone);
    response.once('socket', () => {
      socket.off('close', gone);
      resolve();
    });
  });
}
