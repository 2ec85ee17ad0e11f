// What this process has in use once all garbage is gone. Node has to run with --expose-gc.

/** @returns `{ bytes, rssBytes, sockets, timers }`; bytes are those of the heap and of buffers */
export function inUse() {
  // What the first run finalizes, the second one frees.
  global.gc();
  global.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  const active = process.getActiveResourcesInfo();
  const count = name => active.filter(resource => resource === name).length;
  return {
    bytes: heapUsed + external,
    rssBytes: rss,
    sockets: count('TCPSocketWrap'),
    timers: count('Timeout'),
  };
}
