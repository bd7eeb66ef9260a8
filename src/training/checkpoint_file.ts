/**
 * The bytes of a checkpoint: a safetensors file (8 bytes with the size of the header, a JSON header, the tensors), so
 * that other tools can read the weights. Its metadata also holds the state as JSON and a checksum of the tensors.
 */
import { assert } from '../util/errors.js';
import { sizeOf } from '../util/shapes.js';

/** A tensor off the backend. */
export interface StoredTensor {
  /** Row-major values. */
  values: Float32Array | Int32Array | Uint8Array;
  /** Sizes. */
  shape: number[];
  /** Type. */
  dtype: 'float32' | 'int32' | 'bool';
}

const CODES = { float32: 'F32', int32: 'I32', bool: 'BOOL' } as const;
const TYPES = {
  F32: { dtype: 'float32', array: Float32Array },
  I32: { dtype: 'int32', array: Int32Array },
  BOOL: { dtype: 'bool', array: Uint8Array },
} as const;

/**
 * Makes the bytes.
 *
 * @param tensors Tensors by name.
 * @param state Anything that JSON can hold.
 * @returns The file.
 */
export function encodeCheckpoint(tensors: Map<string, StoredTensor>, state: object): Uint8Array {
  const entries: Record<string, object> = {};
  let size = 0;
  for (const [name, { values, shape, dtype }] of tensors) {
    entries[name] = { dtype: CODES[dtype], shape, data_offsets: [size, size + values.byteLength] };
    size += values.byteLength;
  }
  const data = new Uint8Array(size);
  let at = 0;
  for (const { values } of tensors.values()) {
    data.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  const metadata = { state: JSON.stringify(state), crc32: String(crc32(data)) };
  const json = JSON.stringify({ __metadata__: metadata, ...entries });
  const text = new TextEncoder().encode(json);
  const header = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(32); // padded with spaces: the data is aligned
  header.set(text);
  const file = new Uint8Array(8 + header.length + size);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  file.set(data, 8 + header.length);
  return file;
}

/**
 * Reads the bytes, and refuses them when anything is wrong with them.
 *
 * @param where What was asked to read, first words of the error.
 * @param bytes The file.
 * @returns Tensors and state.
 * @throws Error that says what is wrong.
 */
export function decodeCheckpoint(
  where: string,
  bytes: Uint8Array,
): { tensors: Map<string, StoredTensor>; state: Record<string, unknown> } {
  // A Buffer of Node is a Uint8Array whose `slice` does not copy.
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const advice = 'The file is damaged: use another checkpoint.';
  assert(
    file.length >= 8,
    () => `${where}: the file must have a header, got ${file.length} bytes. ${advice}`,
  );
  const headerSize = Number(
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true),
  );
  assert(
    8 + headerSize <= file.length,
    () => `${where}: the header must have ${headerSize} bytes, got ${file.length - 8}. ${advice}`,
  );
  const header = parse(where, new TextDecoder().decode(file.subarray(8, 8 + headerSize)), advice);
  const { __metadata__: metadata, ...entries } = header as Record<string, Entry> & {
    __metadata__?: { state?: string; crc32?: string };
  };
  assert(
    typeof metadata?.state === 'string' && typeof metadata.crc32 === 'string',
    () =>
      `${where}: the header must hold the state of a training run, got none. This is no checkpoint.`,
  );
  const data = file.slice(8 + headerSize);
  const size = Object.values(entries).reduce(
    (end, entry) => Math.max(end, offsets(where, entry)[1]),
    0,
  );
  assert(
    data.length === size,
    () => `${where}: the tensors must have ${size} bytes, got ${data.length}. ${advice}`,
  );
  const checksum = crc32(data);
  assert(
    checksum === Number(metadata.crc32),
    () =>
      `${where}: the checksum of the tensors must be ${metadata.crc32}, got ${checksum}. ${advice}`,
  );
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(entries)) {
    const [start, end] = offsets(where, entry);
    const type = TYPES[entry.dtype];
    assert(type !== undefined, () => `${where}: '${name}' has the unknown dtype ${entry.dtype}.`);
    assert(
      end - start === sizeOf(entry.shape) * type.array.BYTES_PER_ELEMENT,
      () => `${where}: '${name}' of shape [${entry.shape}] has ${end - start} bytes. ${advice}`,
    );
    const values = new type.array(data.slice(start, end).buffer);
    tensors.set(name, { values, shape: entry.shape, dtype: type.dtype });
  }
  return { tensors, state: parse(where, metadata.state, advice) };
}

interface Entry {
  dtype: keyof typeof TYPES;
  shape: number[];
  data_offsets: [number, number];
}

function offsets(where: string, entry: Entry): [number, number] {
  const { data_offsets: pair, shape } = (entry ?? {}) as Partial<Entry>;
  assert(
    Array.isArray(pair) &&
      pair.length === 2 &&
      pair[0] >= 0 &&
      pair[0] <= pair[1] &&
      Array.isArray(shape),
    () =>
      `${where}: every tensor must have a shape and data_offsets, got ${JSON.stringify(entry)}.`,
  );
  return pair;
}

function parse(where: string, text: string, advice: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new Error(`${where}: the header must be JSON, got '${text.slice(0, 20)}…'. ${advice}`, {
      cause,
    });
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** Checksum of zip and PNG files. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}
