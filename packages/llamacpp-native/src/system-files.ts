import { readFileSync } from 'node:fs';

/** The text of a file of the system; undefined: it is not there, or not for us. Tests invent machines with it. */
export type ReadFile = (path: string) => string | undefined;

export const readSystemFile: ReadFile = path => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

const CGROUPS = '/sys/fs/cgroup';

/**
 * Folders of the cgroups that bind this process, its own first and the root last: each may have limits, and the
 * least of them counts. A container sees its own as the root, and some of the paths lead nowhere then.
 *
 * @param controller of version 1, which has a hierarchy for each; absent: version 2
 */
export function cgroupFolders(read: ReadFile, controller?: string): string[] {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n').map(line => line.split(':'));
  const mine = lines.find(([, names = '']) =>
    controller === undefined ? names === '' : names.split(',').includes(controller),
  );
  const parts = (mine?.[2] ?? '').split('/').filter(part => part !== '');
  const root = controller === undefined ? CGROUPS : `${CGROUPS}/${controller}`;
  return [...parts.keys(), parts.length].reverse().map(count => [root, ...parts.slice(0, count)].join('/'));
}
