// What a CPU profile of V8 says.

/**
 * Time spent in each function, most first: by itself, and with all that it calls.
 * @param profile as the inspector's Profiler gives it
 * @returns `{ name, url, line, selfMicros, totalMicros }` each
 */
export function timesOf({ nodes, samples, timeDeltas }) {
  const times = new Map();
  const byId = new Map();
  for (const { id, callFrame } of nodes) {
    const { functionName, url, lineNumber } = callFrame;
    const key = `${functionName} ${url} ${lineNumber}`;
    if (!times.has(key)) {
      const place = { name: functionName || '(anonymous)', url, line: lineNumber + 1 };
      times.set(key, { ...place, selfMicros: 0, totalMicros: 0 });
    }
    byId.set(id, { time: times.get(key) });
  }
  for (const { id, children = [] } of nodes)
    for (const child of children) byId.get(child).parent = byId.get(id);
  for (const [at, id] of samples.entries()) {
    // A delta is the time since the sample before: what ran from that one on.
    const micros = timeDeltas[at + 1] ?? 0;
    byId.get(id).time.selfMicros += micros;
    const stack = new Set();
    for (let node = byId.get(id); node; node = node.parent) stack.add(node.time);
    for (const time of stack) time.totalMicros += micros;
  }
  return [...times.values()].sort((one, other) => other.selfMicros - one.selfMicros);
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
