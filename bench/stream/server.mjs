// The loopback server that all rows read from, in a process of its own so that its CPU time counts for nobody.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { answerParent } from '../child.mjs';
import { WIRES } from './wires.mjs';
import { workloadOf, writesOf } from './workload.mjs';

/**
 * Least time between two writes, of whichever streams. Without it a slow row finds several writes waiting and takes
 * them in one read, which is cheaper than what a fast row has to do.
 */
const GAP_MS = 0.04;
let lastWrite = 0;

const server = createServer(async (request, response) => {
  request.resume();
  await once(request, 'end');
  const { workload, route } = workloadOf(request.url) ?? {};
  const wire = WIRES[route];
  if (!wire) {
    response.writeHead(404).end(`nothing is served at ${request.url}`);
    return;
  }
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  for (const bytes of writesOf(wire, workload)) {
    if (response.destroyed) return;
    if (!response.write(bytes)) await drained(response);
    // Node joins the writes of one turn of the event loop; here each is to go out by itself.
    do await nextTurn();
    while (performance.now() - lastWrite < GAP_MS);
    lastWrite = performance.now();
  }
  response.end();
});

/** Resolves when there is room again, or nobody to write for. */
function drained(response) {
  return new Promise(resolve => {
    const go = () => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}

// Rows wait for their turns; none is to find its connection closed by the server.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  answerParent({ origin: `http://127.0.0.1:${server.address().port}` }, () => ({}));
});
