// Child processes that answer questions: a benchmark's server, and each of its rows.
import { fork } from 'node:child_process';

/**
 * Starts a module in a process of its own. It says `{ ready }` when it is ready, answers each message with one,
 * and ends when it is disconnected.
 * @param stderr of the process; default: the parent's
 * @returns what it said, `ask` for a question, `stop` for the end, `ended` for whether it has come to that by itself
 */
export async function startChild(file, args = [], execArgv = [], stderr = 'inherit') {
  const child = fork(file, args, { execArgv, stdio: ['ignore', 'ignore', stderr, 'ipc'] });
  const answer = () =>
    new Promise((resolve, reject) => {
      const gone = code => reject(new Error(`${file} ${args.join(' ')} ended with exit code ${code}`));
      child.once('exit', gone);
      child.once('message', message => {
        child.off('exit', gone);
        if (message.error === undefined) resolve(message);
        else reject(new Error(message.error));
      });
    });
  const ended = () => !child.connected;
  const ask = message => {
    if (ended()) return Promise.reject(new Error(`${file} ${args.join(' ')} has ended`));
    const answered = answer();
    child.send(message);
    return answered;
  };
  const stop = () => {
    const ended = new Promise(resolve => child.once('exit', resolve));
    if (child.exitCode !== null || !child.connected) return Promise.resolve();
    child.disconnect();
    return ended;
  };
  const { ready } = await answer();
  return { ready, ask, stop, ended };
}

/** The child's side: answers each message with what `respond` makes of it. */
export function answerParent(ready, respond) {
  process.on('disconnect', () => process.exit());
  process.on('message', async message => {
    try {
      process.send(await respond(message));
    } catch (error) {
      process.send({ error: error.stack });
    }
  });
  process.send({ ready });
}
