import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRecording, type Recording, saveRecording } from './recording.ts';

const recording: Recording = {
  version: 1,
  exchanges: [
    {
      request: { method: 'GET', url: 'http://127.0.0.1/v1/models', headers: {} },
      response: { atMs: 1, status: 200, headers: {} },
      chunks: [
        { atMs: 2, text: 'grüß' },
        { atMs: 3, base64: '/w==' },
      ],
      end: { atMs: 4, how: 'fault', error: { category: 'connection', problem: 'cut', retryable: true } },
    },
  ],
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airframe-recording-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a recording file', () => {
  it('comes back as it was saved, and nothing else is left in its folder', async () => {
    const file = join(folder, 'new', 'folders', 'one.json');
    await saveRecording(file, { version: 1, exchanges: [] });
    await saveRecording(pathToFileURL(file), recording);
    expect(await loadRecording(pathToFileURL(file))).toEqual(recording);
    expect(await readdir(join(folder, 'new', 'folders'))).toEqual(['one.json']);
    expect(await readFile(file, 'utf8')).toContain('"text": "grüß"\n');
  });

  it('leaves nothing behind when it cannot be written', async () => {
    await expect(saveRecording(folder, recording)).rejects.toThrow();
    expect(await readdir(join(folder, '..'))).not.toContainEqual(
      expect.stringMatching(/airframe-recording.*tmp$/),
    );
  });

  it.each([
    ['{"version": 1', /recording .*bad\.json cannot be read: .*JSON/],
    ['[]', /invalid recording .*bad\.json: .*expected object/],
    [
      '{"version": 2, "exchanges": []}',
      /recording .*bad\.json has version 2, .* reads version 1; record it again/,
    ],
    [
      JSON.stringify({ version: 1, exchanges: [{ ...recording.exchanges[0], chunks: [{ atMs: 1 }] }] }),
      /bad\.json: exchanges\.0\.chunks\.0: has to hold either text or base64/,
    ],
    [
      JSON.stringify({
        version: 1,
        exchanges: [{ ...recording.exchanges[0], end: { atMs: 1, how: 'bang' } }],
      }),
      /bad\.json: exchanges\.0\.end\.how: /,
    ],
  ])('says in one line which file is wrong, and what: %s', async (text, message) => {
    const file = join(folder, 'bad.json');
    await writeFile(file, text);
    const error = await loadRecording(file).catch(reason => reason);
    expect(error).toMatchObject({ name: 'AirframeError', category: 'invalid_request' });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('\n');
  });

  it('says that it does not exist', async () => {
    await expect(loadRecording(join(folder, 'none.json'))).rejects.toThrow(
      /none\.json does not exist; record it first/,
    );
  });
});
