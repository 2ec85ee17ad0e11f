import { isDeepStrictEqual } from 'node:util';
import type { Environment } from '@x/avionics';
import { hasChanged } from './file-text.ts';
import { FolderWatch } from './folder-watch.ts';
import { type LoadedConfig, loadConfig } from './load.ts';
import { ConfigError } from './problem.ts';
import type { Config } from './schema.ts';

export interface WatchConfigOptions {
  /**
   * Told of each good configuration that is another than what was read before. The next one waits for its promise; what it
   * throws goes to `onProblem`, and the configuration before counts as the one in use.
   */
  onChange(config: Config): void | Promise<void>;
  /** Told, once, of a configuration that is no good: a ConfigError. What is in use stays. */
  onProblem(error: Error): void;
  /** Ends it. */
  signal: AbortSignal;
  env?: Environment;
  /** Milliseconds without a further event until the files are read. Default 100. */
  quietMs?: number;
  /**
   * Milliseconds between two looks that need no event: those of network file systems never come. Default 10,000.
   */
  lookEveryMs?: number;
}

export interface ConfigWatch {
  /** Reads everything again, whether it has changed or not, as for SIGHUP; resolves when `onChange` or `onProblem` is done. */
  reload(): Promise<void>;
}

/** A folder where something happens all the time must not put off reading for longer, in milliseconds. */
const MAX_WAIT_MS = 1_000;

/**
 * Follows the files of a configuration, those of its nodes as well. What happened since it was loaded is not missed, of
 * changes in quick succession the last one counts, and nothing is read twice at once. Holds no process alive.
 */
export function watchConfig(loaded: LoadedConfig, options: WatchConfigOptions): ConfigWatch {
  const follower = new Follower(loaded, options);
  return { reload: () => follower.look({ always: true }) };
}

class Follower {
  readonly #path: string;
  readonly #options: WatchConfigOptions;
  readonly #folders: FolderWatch;
  readonly #interval: NodeJS.Timeout;
  #quiet: NodeJS.Timeout | undefined;
  #firstEventAt: number | undefined;
  /** As they were when they were read last, with a good result or not. */
  #files: LoadedConfig['files'];
  /** In use. */
  #config: Config;
  /** What was read last was no good, so that one like that in use is news. */
  #refused = false;
  #running: Promise<void> | undefined;
  #wanted: { always: boolean } | undefined;

  constructor({ path, files, config }: LoadedConfig, options: WatchConfigOptions) {
    this.#path = path;
    this.#files = files;
    this.#config = config;
    this.#options = options;
    this.#folders = new FolderWatch(() => this.#soon());
    this.#interval = setInterval(() => void this.look(), options.lookEveryMs ?? 10_000).unref();
    if (options.signal.aborted) this.#close();
    else options.signal.addEventListener('abort', () => this.#close(), { once: true });
    void this.look();
  }

  /** Looks at the files, or once more after the look that goes on. */
  look({ always = false } = {}): Promise<void> {
    this.#wanted = { always: always || this.#wanted?.always === true };
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    try {
      for (let wanted = this.#wanted; wanted; wanted = this.#wanted) {
        this.#wanted = undefined;
        await this.#lookOnce(wanted.always);
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #lookOnce(always: boolean): Promise<void> {
    // Before they are read: what happens from here on brings an event.
    await this.#folders.follow(this.#files.keys());
    if (this.#options.signal.aborted || (!always && !(await hasChanged(this.#files)))) return;
    try {
      const { config, files } = await loadConfig(this.#path, this.#options.env);
      this.#read(files);
      if (
        this.#options.signal.aborted ||
        (!always && !this.#refused && isDeepStrictEqual(config, this.#config))
      )
        return;
      await this.#options.onChange(config);
      this.#config = config;
      this.#refused = false;
    } catch (error) {
      this.#refused = true;
      if (error instanceof ConfigError) this.#read(error.files);
      if (!this.#options.signal.aborted) this.#options.onProblem(error as Error);
    }
  }

  #read(files: LoadedConfig['files']): void {
    const before = this.#files;
    this.#files = files;
    // Of a file that was not watched yet a change may have been missed.
    if ([...files.keys()].some(file => !before.has(file))) this.#wanted ??= { always: false };
  }

  #soon(): void {
    const now = performance.now();
    this.#firstEventAt ??= now;
    const { quietMs = 100 } = this.#options;
    clearTimeout(this.#quiet);
    const wait = Math.min(quietMs, Math.max(0, this.#firstEventAt + MAX_WAIT_MS - now));
    this.#quiet = setTimeout(() => {
      this.#firstEventAt = undefined;
      void this.look();
    }, wait).unref();
  }

  #close(): void {
    clearInterval(this.#interval);
    clearTimeout(this.#quiet);
    this.#folders.close();
  }
}
