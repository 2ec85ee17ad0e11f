// Runs ahead of a gateway: at SIGUSR2 it tells what is in use once all garbage is gone, in one line on stderr.
process.on('SIGUSR2', () => {
  // What the first run finalizes, the second one frees.
  global.gc();
  global.gc();
  const { heapUsed, external } = process.memoryUsage();
  const active = process.getActiveResourcesInfo();
  const count = name => active.filter(resource => resource === name).length;
  const told = { bytes: heapUsed + external, sockets: count('TCPSocketWrap'), timers: count('Timeout') };
  process.stderr.write(`resources ${JSON.stringify(told)}\n`);
});
