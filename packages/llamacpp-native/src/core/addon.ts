import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { AirframeError } from '@x/airframe';
import { addonPath } from '../../native/paths.mjs';

/** The addon of `native/`: llama.cpp's server core without the HTTP. */
export interface Addon {
  Core: new (settings: CoreSettings, listener: (events: CoreEvents) => void) => Core;
  /** What it was built of. */
  build: string;
}

/** One loaded model and its threads. It begins to load when it is made. */
export interface Core {
  /** Only once it is loaded. @returns the id under which the answer comes */
  request(route: string, body: string): number;
  /** The answer's `end` comes soon. */
  cancel(id: number): void;
  /** Ends what is under way, loading too; `closed` comes last. */
  close(): void;
  /** Ends everything, waits for that, and says nothing more. For the end of the process. */
  end(): void;
}

/** All of them have to be there. */
export interface CoreSettings {
  /** Absolute path. */
  model: string;
  /** What the model is called in answers. */
  alias: string;
  /** Path of the projector for images; empty: none. */
  mmproj: string;
  /** Of one sequence; 0: as the model was trained. */
  contextTokens: number;
  /** Sequences. */
  parallel: number;
  threads: number;
  gpuLayers: number;
  /** Memory for prompts that are in no sequence any more, in MiB. */
  cacheMiB: number;
  embedding: boolean;
  /** llama_pooling_type: how the vectors of a text's tokens become one. -1: as the model says. */
  pooling: number;
  /** Whether log lines are wanted. */
  log: boolean;
}

/** Events in a row, four entries each: kind, id of the request, a number, a text or bytes. */
export type CoreEvents = (number | string | Buffer)[];

/** Of `CoreEvent` in native/core.h, in its order. */
export const CoreEventKind = {
  progress: 0,
  loaded: 1,
  failed: 2,
  closed: 3,
  log: 4,
  head: 5,
  data: 6,
  end: 7,
} as const;

const BUILD = 'run `npx llamacpp-native build` (once, some minutes)';

/** The path of the addon, when it has been built for this machine. LLAMACPP_ADDON_PATH names another. */
export function findAddon(): string | undefined {
  const { LLAMACPP_ADDON_PATH: given } = process.env;
  if (given) return resolve(given);
  try {
    const path = addonPath();
    return existsSync(path) ? path : undefined;
  } catch {
    // Without node-llama-cpp nobody knows of which release it would be.
    return undefined;
  }
}

/** @throws AirframeError not_found: it has not been built */
export function requireAddon(): string {
  const path = findAddon();
  if (path !== undefined) return path;
  throw new AirframeError('not_found', 'llama.cpp has not been compiled for this machine', {
    code: 'addon_missing',
    remedy: `${BUILD}, or use the engine node-llama-cpp`,
  });
}

/** @throws AirframeError not_found, backend */
export function loadAddon(): Addon {
  const path = requireAddon();
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new AirframeError('backend', `${path} cannot be loaded: ${problem}`, { cause, remedy: BUILD });
  }
}
