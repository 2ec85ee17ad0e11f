// What a process has in use, for tests that nothing is left behind.

/** Resolves when the condition holds; the test's own time limit is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 20));
}

export function collectGarbage(): void {
  if (!global.gc) throw new Error('node has to run with --expose-gc');
  // What the first run finalizes, the second one frees.
  global.gc();
  global.gc();
}

/** Bytes of the heap and of buffers once all garbage is gone. */
export function memoryInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** @param name as node has it, e.g. `TCPSocketWrap`, `Timeout` */
export function activeResources(name: string): number {
  return process.getActiveResourcesInfo().filter(resource => resource === name).length;
}
