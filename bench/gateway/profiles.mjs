// What a CPU profile of V8 says.

/**
 * Time spent in each function itself, most first.
 * @param profile as the inspector's Profiler gives it
 * @returns `{ name, url, line, micros }` each
 */
export function selfTimes({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map(node => [node.id, node.callFrame]));
  const times = new Map();
  for (const [at, id] of samples.entries()) {
    const { functionName, url, lineNumber } = byId.get(id);
    const key = `${functionName} ${url} ${lineNumber}`;
    const time = times.get(key) ?? {
      name: functionName || '(anonymous)',
      url,
      line: lineNumber + 1,
      micros: 0,
    };
    // A delta is the time since the sample before: what ran from that one on.
    time.micros += timeDeltas[at + 1] ?? 0;
    times.set(key, time);
  }
  return [...times.values()].sort((one, other) => other.micros - one.micros);
}

/** The package that a function is of; or V8's own doing. */
export function groupOf({ name, url }) {
  if (name === '(garbage collector)') return 'garbage collection';
  if (url === '') return name === '(program)' ? 'system calls, V8' : 'native functions';
  if (url.startsWith('node:')) return 'node';
  const own = /\/(?:packages|apps)\/([^/]+)\/(?!node_modules\/)/.exec(url);
  const peer = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  return (peer ?? own)?.[1] ?? url;
}
