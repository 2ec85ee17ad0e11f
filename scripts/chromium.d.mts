/** Absolute path of chromium; root on Debian gets it installed when it is missing. */
export function ensureChromium(options?: { log?: (line: string) => void }): Promise<string>;
