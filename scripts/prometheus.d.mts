/** Absolute paths of the two programs; root on Debian gets them installed when they are missing. */
export function ensurePrometheus(options?: {
  log?: (line: string) => void;
}): Promise<{ prometheus: string; promtool: string }>;
