interface Options {
  log?: (line: string) => void;
}
/** Absolute path of a real llama-server, built on the first call. */
export function ensureLlamaServer(options?: Options): Promise<string>;
/** Absolute path of the addon, built on the first call. */
export function ensureAddon(options?: Options): Promise<string>;
/** Absolute path of llama.cpp's source, cloned on the first call. */
export function ensureLlamaSource(options?: Options): Promise<string>;
