import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A backend in a process of its own, so that memory and sockets measured here are the client's alone. */
export interface BackendProcess<Figures> {
  url: string;
  /** What the backend has counted so far. */
  figures(): Promise<Figures>;
  /** Says something to it; it does not answer. */
  tell(message: object): void;
  stop(): Promise<void>;
}

/**
 * Starts a script that listens on a free loopback port. It sends the port to its parent once it does, answers the
 * message `figures`, and ends when the channel closes.
 */
export async function startBackendProcess<Figures>(script: URL): Promise<BackendProcess<Figures>> {
  const child = fork(fileURLToPath(script), { execArgv: [] });
  const port = await answerOf(child);
  return {
    url: `http://127.0.0.1:${port}`,
    figures: async () => {
      child.send('figures');
      return (await answerOf(child)) as Figures;
    },
    tell: message => {
      child.send(message);
    },
    stop: async () => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const [answer] = await once(child, 'message');
  return answer;
}
