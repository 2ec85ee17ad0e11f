import { type FSWatcher, watch } from 'node:fs';
import { lstat, readlink, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

interface Watched {
  watcher: FSWatcher;
  /** The folder itself: another one may come under its name. */
  inode: number;
}

/** More links than that in a row lead nowhere. */
const MAX_LINKS = 40;

/**
 * Tells that something happened around files. It is their folders that are watched, those of all links on the way as
 * well: editors put another file in the place of the old one, and Kubernetes, for a ConfigMap, another link.
 */
export class FolderWatch {
  readonly #onEvent: () => void;
  readonly #folders = new Map<string, Watched>();
  #isClosed = false;

  constructor(onEvent: () => void) {
    this.#onEvent = onEvent;
  }

  /** Watches for these files from now on, and for no others. To be called again when links or folders may have changed. */
  async follow(files: Iterable<string>): Promise<void> {
    const wanted = new Map<string, number>();
    for (const file of files) {
      for (const folder of await foldersOf(file)) {
        const { ino } = await stat(folder).catch(() => ({ ino: -1 }));
        if (ino >= 0) wanted.set(folder, ino);
      }
    }
    if (this.#isClosed) return;
    for (const [folder, { watcher, inode }] of this.#folders) {
      if (wanted.get(folder) === inode) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const [folder, inode] of wanted) this.#open(folder, inode);
  }

  close(): void {
    this.#isClosed = true;
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #open(folder: string, inode: number): void {
    if (this.#folders.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, this.#onEvent);
      this.#folders.set(folder, { watcher, inode });
      watcher.on('error', () => {
        watcher.close();
        if (this.#folders.get(folder)?.watcher === watcher) this.#folders.delete(folder);
        this.#onEvent();
      });
    } catch {
      // It went away meanwhile, or the system has no watches left: then the next look finds out.
    }
  }
}

/** The folders in which a file, a link to it, or a link to a folder on the way can be replaced. */
async function foldersOf(file: string): Promise<Set<string>> {
  const folders = new Set<string>();
  let path = file;
  for (let links = 0; links < MAX_LINKS; links++) {
    folders.add(dirname(path));
    const target = await linkOf(path);
    if (target === undefined) break;
    path = resolve(dirname(path), target);
  }
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined) folders.add(dirname(real));
  return folders;
}

async function linkOf(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch {
    return undefined;
  }
}
