/**
 * The headers of HDF5 objects: what a group or an array says about itself. After the "HDF5 File Format Specification",
 * version 3.0, sections IV.A.1 and IV.A.2.
 */
import type { ByteReader } from './byte_reader.js';

/** The kinds of message that are looked at. */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

/** A message of a header. */
export interface Message {
  /** What it is about. */
  readonly type: number;
  /** Where its body begins. */
  readonly at: number;
  /** How many bytes that has. */
  readonly size: number;
}

/**
 * Reads the header of an object, of version 1 or 2.
 *
 * @param file The file.
 * @param address Where the header is.
 * @returns Its messages.
 * @throws Error when it is broken.
 */
export function readMessages(file: ByteReader, address: number): Message[] {
  if (file.isAt(address, 'OHDR')) return readVersion2(file, address);
  file.check(file.u8(address) === 1, () => `there is no object at byte ${address}`);
  const count = file.u16(address + 2);
  const messages: Message[] = [];
  const blocks: [at: number, size: number][] = [[address + 16, file.u32(address + 8)]];
  // Every message has at least 8 bytes of its own, so a block that points at itself ends too.
  for (let b = 0; b < blocks.length && messages.length < count; b++) {
    let [at, left] = blocks[b];
    while (left >= 8 && messages.length < count) {
      const message = { type: file.u16(at), at: at + 8, size: file.u16(at + 2) };
      add(file, message, file.u8(at + 4), messages, blocks);
      at += 8 + message.size;
      left -= 8 + message.size;
    }
  }
  return messages;
}

function readVersion2(file: ByteReader, address: number): Message[] {
  file.check(file.u8(address + 4) === 2, () => `the object at byte ${address} has no version`);
  const flags = file.u8(address + 5);
  let at = address + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  const width = 2 ** (flags & 3);
  const size = file.unsigned(at, width);
  at += width;
  const order = flags & 4 ? 2 : 0;
  const messages: Message[] = [];
  const blocks: [at: number, size: number][] = [[at, size]];
  const seen = new Set<number>();
  for (let b = 0; b < blocks.length; b++) {
    let [from, left] = blocks[b];
    if (b > 0) {
      file.check(file.isAt(from, 'OCHK'), () => `there is no header block at byte ${from}`);
      [from, left] = [from + 4, left - 8]; // the signature, and the checksum at the end
    }
    file.check(!seen.has(from), () => `the header block at byte ${from} is part of itself`);
    seen.add(from);
    while (left >= 4 + order) {
      const message = { type: file.u8(from), at: from + 4 + order, size: file.u16(from + 1) };
      add(file, message, file.u8(from + 3), messages, blocks);
      from += 4 + order + message.size;
      left -= 4 + order + message.size;
    }
  }
  return messages;
}

function add(
  file: ByteReader,
  message: Message,
  flags: number,
  messages: Message[],
  blocks: [number, number][],
): void {
  const { type, at, size } = message;
  file.slice(at, size); // within the file
  file.spend(4 + size);
  const known = (Object.values(MESSAGE) as number[]).includes(type);
  file.check(
    !(known && flags & 2),
    () => `the message at byte ${at} is shared between objects, which Keras does not write`,
  );
  if (type === MESSAGE.continuation) {
    file.check(size >= 16, () => `the message at byte ${at} is too short`);
    blocks.push([file.u64(at), file.u64(at + 8)]);
  }
  messages.push(message);
}

/**
 * Reads a shape.
 *
 * @param file The file.
 * @param at Where the body of the dataspace message begins.
 * @returns The shape, and where the message ends; null for an empty dataspace.
 */
export function readShape(file: ByteReader, at: number): number[] | null {
  const [version, rank] = [file.u8(at), file.u8(at + 1)];
  file.check(
    (version === 1 || version === 2) && rank <= 32,
    () => `the shape at byte ${at} has version ${version} and ${rank} axes`,
  );
  if (version === 2 && file.u8(at + 3) === 2) return null;
  const from = at + (version === 1 ? 8 : 4);
  return Array.from({ length: rank }, (_, i) => file.u64(from + 8 * i));
}

/** The type of elements. */
export interface ElementType {
  /** Its name: 'float32', 'bool', 'string', … */
  readonly name: string;
  /** Bytes of an element. */
  readonly size: number;
  /** Whether the highest byte comes first. */
  readonly bigEndian: boolean;
  /** Whether each is a reference to a text of any length. */
  readonly variable: boolean;
}

/**
 * Reads a type.
 *
 * @param file The file.
 * @param at Where the body of the datatype message begins.
 * @returns The type. One that is not known is called as HDF5 does, such as 'compound'.
 */
export function readType(file: ByteReader, at: number): ElementType {
  const kind = file.u8(at) & 15;
  const [bits, size] = [file.u8(at + 1), file.u32(at + 4)];
  const type = (name: string, variable = false): ElementType => ({
    name,
    size,
    bigEndian: kind < 2 && (bits & 1) === 1,
    variable,
  });
  if (kind === 0) {
    const plain = [1, 2, 4, 8].includes(size) && file.u16(at + 10) === 8 * size;
    return type(plain ? `${bits & 8 ? 'int' : 'uint'}${8 * size}` : 'an integer of odd width');
  }
  if (kind === 1) return type(floatName(size, file.u8(at + 13), file.u8(at + 15)));
  if (kind === 3) return type('string');
  // NumPy has no bfloat16, so h5py writes what Keras hands it as two bytes without a meaning.
  if (kind === 5 && size === 2) return type('bfloat16');
  if (kind === 8) return type(isBool(file, at, size) ? 'bool' : 'enumeration');
  if (kind === 9) return (bits & 15) === 1 ? type('string', true) : type('variable length');
  return type(
    ['', '', 'time', '', 'bits', 'opaque', 'compound', 'reference', '', '', 'array'][kind] ||
      'of unknown type',
  );
}

/** Floats are told apart by the widths of exponent and fraction. */
function floatName(size: number, exponent: number, fraction: number): string {
  const known: Record<string, string> = {
    '2,5,10': 'float16',
    '2,8,7': 'bfloat16',
    '4,8,23': 'float32',
    '8,11,52': 'float64',
  };
  return known[[size, exponent, fraction].join()] ?? 'a float of odd width';
}

/** h5py's bool: an enumeration FALSE, TRUE of bytes. */
function isBool(file: ByteReader, at: number, size: number): boolean {
  if (size !== 1 || file.u16(at + 1) !== 2) return false;
  const names = at + 8 + 12; // after the type of the bytes
  return file.isAt(names, 'FALSE\0') && [6, 8].some((width) => file.isAt(names + width, 'TRUE\0'));
}
