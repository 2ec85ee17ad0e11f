import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkGguf, ggufPath } from './gguf-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gguf-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function check(name: string, content?: Buffer | string): Promise<string> {
  const path = join(folder, name);
  if (content !== undefined) await writeFile(path, content);
  await checkGguf(ggufPath(pathToFileURL(path).href));
  return path;
}

function header(version: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.write('GGUF');
  bytes.writeUInt32LE(version, 4);
  return bytes;
}

describe('a GGUF file', () => {
  it('is one that begins like GGUF, spaces in the name or not', async () => {
    expect(await check('a model.gguf', header(3))).toBe(join(folder, 'a model.gguf'));
  });

  it('says that there is no file', async () => {
    const error = { category: 'not_found', message: expect.stringContaining(join(folder, 'none.gguf')) };
    await expect(check('none.gguf')).rejects.toMatchObject(error);
  });

  it.each([
    ['a directory', '', undefined, /is a directory; name the \.gguf file in it/],
    ['an empty file', 'empty.gguf', '', /empty\.gguf is empty/],
    ['another kind of file', 'zip.gguf', 'PK\u0003\u0004', /is not a GGUF file \(it begins with "PK/],
    ['a Git LFS pointer', 'lfs.gguf', 'version https://git-lfs.github.com/spec/v1\n', /git lfs pull/],
    ['a stump', 'stump.gguf', 'GGUF\u0003', /stump\.gguf is cut off/],
    ['a version of old', 'v1.gguf', header(1), /is GGUF version 1; llama\.cpp reads 2 and 3/],
  ])('refuses %s by name', async (_, name, content, message) => {
    await expect(check(name, content)).rejects.toMatchObject({
      category: 'invalid_request',
      message: expect.stringMatching(message),
    });
  });

  it('refuses a URL that is no file', async () => {
    expect(() => ggufPath('http://127.0.0.1:8080')).toThrow(
      expect.objectContaining({ category: 'invalid_request' }),
    );
  });
});
