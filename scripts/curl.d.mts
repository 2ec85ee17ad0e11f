/** Absolute path of curl; root on Debian gets it installed when it is missing. */
export function ensureCurl(options?: { log?: (line: string) => void }): Promise<string>;
