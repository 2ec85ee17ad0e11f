// Loaded ahead of a server by `--import`: tells the parent what its process has used, all threads included.
import { Session } from 'node:inspector';
import { answerParent } from '../child.mjs';

const session = new Session();

/** Calls the profiler. */
const post = (method, parameters) =>
  new Promise((resolve, reject) => {
    session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result)));
  });

const answers = {
  usage() {
    const { user, system } = process.cpuUsage();
    return { cpuMicros: user + system, rssMb: process.memoryUsage.rss() / 2 ** 20 };
  },
  async profile() {
    session.connect();
    await post('Profiler.enable');
    await post('Profiler.start');
    return {};
  },
  profiled: () => post('Profiler.stop'),
};

answerParent({}, ({ tell }) => answers[tell]());
// A server that ends by itself is to end.
process.channel.unref();
