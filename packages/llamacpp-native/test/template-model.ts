import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEMO_MODEL } from './demo-model.ts';
import { u32, u64 } from './gguf-writer.ts';

/** GGUF's number of a text, and what the place of the weights is a multiple of. */
const [TEXT, ALIGNMENT] = [8, 32];

export interface TemplateModel {
  path: string;
  remove(): void;
}

/** The demo model with another chat template. */
export function modelWithTemplate(template: string): TemplateModel {
  const bytes = readFileSync(DEMO_MODEL);
  const key = Buffer.concat([Buffer.from('tokenizer.chat_template'), u32(TEXT)]);
  const at = bytes.indexOf(key) + key.length;
  const end = at + 8 + Number(bytes.readBigUInt64LE(at));
  const longer = at + 8 + Buffer.byteLength(template) - end;
  // A comment moves the weights on to such a place; the shortest one has four characters.
  const comment = `{#${' '.repeat(ALIGNMENT - ((((longer + 4) % ALIGNMENT) + ALIGNMENT) % ALIGNMENT))}#}`;
  const text = Buffer.from(template + comment);
  const folder = mkdtempSync(join(tmpdir(), 'template-'));
  const path = join(folder, 'model.gguf');
  writeFileSync(path, Buffer.concat([bytes.subarray(0, at), u64(text.length), text, bytes.subarray(end)]));
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}
