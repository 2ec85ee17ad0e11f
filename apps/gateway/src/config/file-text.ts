import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** A file as it was when it was read. */
export interface FileText {
  /** Absent: it cannot be read. */
  text?: string;
  /** Of the content, or the system's code for why it cannot be read: what changes whenever that does. */
  digest: string;
}

export async function readText(file: string): Promise<FileText> {
  try {
    const bytes = await readFile(file);
    return { text: bytes.toString('utf8'), digest: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    return { digest: (error as NodeJS.ErrnoException).code ?? 'unreadable' };
  }
}

/** Full paths of files, with their digests when they were read. */
export type Digests = ReadonlyMap<string, string>;

export async function hasChanged(digests: Digests): Promise<boolean> {
  for (const [file, digest] of digests) if ((await readText(file)).digest !== digest) return true;
  return false;
}
