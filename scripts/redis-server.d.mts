/** Absolute path of redis-server; root on Debian gets it installed when it is missing. */
export function ensureRedisServer(options?: { log?: (line: string) => void }): Promise<string>;
