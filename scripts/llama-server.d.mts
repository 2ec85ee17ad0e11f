/** Absolute path of a real llama-server, built on the first call. */
export function ensureLlamaServer(options?: { log?: (line: string) => void }): Promise<string>;
