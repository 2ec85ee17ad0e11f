/** Absolute path of a model with random weights and 8,192 tokens of context, made on the first call (62 MB). */
export function ensureRandomModel(options?: { log?: (line: string) => void }): Promise<string>;
