/** Where the addon is once it is built. @throws when node-llama-cpp is not installed */
export function addonPath(): string;
/** The cache folder, absolute. */
export function cacheDir(): string;
