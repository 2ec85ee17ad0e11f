import { type Adapter, type AdapterDefinition, defineAdapter } from '@x/airframe';
import { findAddon, requireAddon } from './core/addon.ts';
import { coreDefinition } from './core/core-definition.ts';
import type { Engine } from './engine.ts';
import { engineDefinition } from './engine-definition.ts';
import { EngineChild } from './isolation/engine-child.ts';
import { withIsolation } from './isolation/isolated.ts';
import type { LogSink } from './log-sinks.ts';
import { processEngine } from './process-engine.ts';
import type { LlamaCppExtra } from './request.ts';

/** What runs llama.cpp. */
export type EngineName = 'core' | 'node-llama-cpp';

/** What {@link llamaCppAdapter} takes. */
export interface LlamaCppAdapterOptions {
  /** How much of a model is loaded: 0 when it begins, 1 at last. */
  onLoadProgress?: (fraction: number, path: string) => void;
  /** Takes llama.cpp's log lines, those of other adapters' models included; without it there are none. */
  onLog?: LogSink;
  /** Told, once each, what a user should know though calls go on. Default: a warning of the process. */
  onWarning?: (message: string) => void;
  /** Models this adapter keeps loaded at once; what was idle longest goes first. Default: no limit. */
  maxLoaded?: number;
  /** Unloads a model when no call has used it for so long, in milliseconds; 0: never. Default 0. */
  idleUnloadMs?: number;
  /**
   * What runs llama.cpp; adapters over one engine share its models.
   * `core`: llama.cpp compiled for this machine by `npx llamacpp-native build`; it can do all that a llama-server can.
   * `node-llama-cpp`: that package's binaries. Or an engine of one's own. Default: `core` where it has been built.
   */
  engine?: EngineName | Engine;
}

/**
 * llama.cpp in this process, or in one of its own where an endpoint's options ask for that. An endpoint's `baseUrl` is
 * the `file:` URL of a GGUF file, its `options` are {@link LlamaCppOptions}. A model is loaded by the first call and
 * kept until `close()`, or what the options say; other adapters of the process use the same one.
 * @throws AirframeError not_found: the engine `core` is asked for and has not been built
 */
export function llamaCppAdapter(options: LlamaCppAdapterOptions = {}): Adapter<LlamaCppExtra> {
  return defineAdapter(withIsolation(llamaCppDefinition(options), new EngineChild(options)));
}

/** What runs in this process, whichever it is. */
export function llamaCppDefinition(options: LlamaCppAdapterOptions): AdapterDefinition<LlamaCppExtra> {
  const { engine = findAddon() ? 'core' : 'node-llama-cpp' } = options;
  if (options.engine === 'core') requireAddon();
  if (engine === 'core') return coreDefinition(options);
  return engineDefinition(engine === 'node-llama-cpp' ? processEngine : engine, options);
}
