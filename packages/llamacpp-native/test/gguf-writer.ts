/** A value of GGUF metadata: a whole number is written as u32, an array of numbers as i32. */
export type Written = string | number | boolean | readonly number[] | readonly string[];

const U32 = 4;
const I32 = 5;
const BOOL = 7;
const TEXT = 8;
const ARRAY = 9;

/** The header of a GGUF file, version 3, with these metadata and tensors (name to dimensions). */
export function ggufBytes(
  metadata: Readonly<Record<string, Written>> = {},
  tensors: Readonly<Record<string, readonly number[]>> = {},
): Buffer {
  const [entries, infos] = [Object.entries(metadata), Object.entries(tensors)];
  return Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(infos.length),
    u64(entries.length),
    ...entries.flatMap(([key, value]) => [text(key), ...typed(value)]),
    ...infos.flatMap(([name, sizes]) => [text(name), u32(sizes.length), ...sizes.map(u64), u32(0), u64(0)]),
  ]);
}

function typed(value: Written): Buffer[] {
  if (typeof value === 'string') return [u32(TEXT), text(value)];
  if (typeof value === 'boolean') return [u32(BOOL), Buffer.from([Number(value)])];
  if (typeof value === 'number') return [u32(U32), u32(value)];
  const type = typeof value[0] === 'string' ? TEXT : I32;
  const items = value.map(item => (typeof item === 'string' ? text(item) : u32(item)));
  return [u32(ARRAY), u32(type), u64(value.length), ...items];
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
