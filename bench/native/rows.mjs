// The rows of the table.
import { fileURLToPath } from 'node:url';
import { startChild } from '../child.mjs';
import { measureLlamaBench } from './llama-bench.mjs';

const MEASURE = fileURLToPath(new URL('measure.mjs', import.meta.url));

/** Starts a row, given the model's path, the threads and the address of the llama-server with these two. */
const inProcess =
  make =>
  async ({ name, model, threads, url }) => {
    const { ready, ask, stop } = await startChild(MEASURE, [
      JSON.stringify({ make, row: name, model, threads, url }),
    ]);
    if (ready.absent) await stop();
    const end = async () => {
      await ask({ close: true });
      await stop();
    };
    return ready.absent ? { absent: ready.absent } : { measure: ask, stop: end };
  };

/** `imports` is what the row's process imports; `wants` tells cells it has no figure for. */
export const ROWS = [
  {
    name: 'llama-bench',
    cells: ({ requests }) => requests === 1,
    start: async group => ({ measure: cell => measureLlamaBench(group, cell), stop: async () => {} }),
  },
  { name: 'llama-server', needsServer: true, start: inProcess('bare') },
  { name: 'llama-server, airframe', needsServer: true, start: inProcess('llamaServer') },
  { name: 'node-llama-cpp', start: inProcess('nodeLlamaCpp') },
  { name: 'core', start: inProcess('core') },
];

/** The row that the others are compared with. */
export const FLOOR = 'llama-server';
