import { open, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { AirframeError } from '@x/airframe';

const MAGIC = 'GGUF';

/** Versions llama.cpp reads. A big-endian file of the other kind of machine shows a huge number instead. */
const VERSIONS: readonly number[] = [2, 3];

/** Magic, version, number of tensors, number of metadata entries. */
const HEADER_BYTES = 24;

/**
 * Makes sure that a file is a GGUF file: llama.cpp's own complaint about something else is a line in a log.
 *
 * @throws AirframeError not_found, or invalid_request naming the path and what to do
 */
export async function checkGguf(path: string): Promise<void> {
  let bytes: Buffer;
  try {
    if ((await stat(path)).isDirectory()) {
      throw refuse(`${path} is a directory; name the .gguf file in it`);
    }
    bytes = await firstBytes(path, HEADER_BYTES);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new AirframeError('not_found', `there is no file ${path}; correct the endpoint's baseUrl`, {
        cause: error,
      });
    }
    throw refuse(`${path} cannot be read (${code}); check its permissions`, error);
  }
  const head = bytes.toString('latin1');
  if (head.startsWith(MAGIC)) {
    if (bytes.length < HEADER_BYTES) throw refuse(`${path} is cut off; fetch it anew`);
    const version = bytes.readUInt32LE(MAGIC.length);
    if (VERSIONS.includes(version)) return;
    throw refuse(
      `${path} is GGUF version ${version}; llama.cpp reads ${VERSIONS.join(' and ')}: convert the model anew`,
    );
  }
  if (head === '') throw refuse(`${path} is empty; was its download cut off?`);
  if (head.startsWith('version https://git-lfs')) {
    throw refuse(`${path} is a Git LFS pointer, not the model; fetch it with \`git lfs pull\``);
  }
  const start = JSON.stringify(head.slice(0, MAGIC.length));
  throw refuse(
    `${path} is not a GGUF file (it begins with ${start}, not "${MAGIC}"); convert the model with llama.cpp's convert_hf_to_gguf.py`,
  );
}

/**
 * Path of the file a `file:` URL names.
 * @throws AirframeError invalid_request when it names none
 */
export function ggufPath(baseUrl: string): string {
  try {
    return fileURLToPath(baseUrl);
  } catch (error) {
    throw refuse(`baseUrl ${baseUrl} is not the file: URL of a GGUF file on this machine`, error);
  }
}

async function firstBytes(path: string, count: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function refuse(message: string, cause?: unknown): AirframeError {
  return new AirframeError('invalid_request', message, { cause });
}
