import type { NodeProfile } from '@x/avionics';
export interface NodeSource {
  profiles(): Promise<NodeProfile[]>;
  watch(on: (p: NodeProfile[]) => void, signal: AbortSignal): void;
  close(): Promise<void>;
}
export function nodeSource(config: unknown, _: object): NodeSource {
  return { profiles: async () => config as NodeProfile[], watch() {}, close: async () => {} };
}
