import type { SpawnOptions } from 'node:child_process';

/** Runs a command with the pinned pnpm on the PATH; resolves with its exit code. */
export function withPnpm(command: string, args: string[], options?: SpawnOptions): Promise<number>;
