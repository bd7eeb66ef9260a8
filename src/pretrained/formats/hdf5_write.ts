/**
 * Writes HDF5 files: groups, arrays in one piece, attributes that are texts. The layout is that of HDF5 1.8 and later
 * (superblock 2, object headers 2, links in the headers), which needs no trees and no heaps of names.
 */
import { assert } from '../../util/errors.js';
import { lookup3 } from './lookup3.js';

/** An array to be written. */
export interface Hdf5ArrayToWrite {
  /** Its shape; [] for a scalar. */
  readonly shape: readonly number[];
  /** How it is stored. */
  readonly dtype: 'float32' | 'int32' | 'uint32' | 'bool';
  /** Its elements, row by row; bytes of 0 and 1 for 'bool'. */
  readonly values: Float32Array | Int32Array | Uint32Array | Uint8Array;
}

/** A group to be written. */
export interface Hdf5GroupToWrite {
  /** Its attributes. */
  readonly attributes: Map<string, string>;
  /** The groups in it. */
  readonly groups: Map<string, Hdf5GroupToWrite>;
  /** The arrays in it. */
  readonly arrays: Map<string, Hdf5ArrayToWrite>;
}

const SUPERBLOCK_SIZE = 48;
/** Arrays begin at multiples of this, so that they can be read in place. */
const ALIGNMENT = 64;
const HEAP_SIZE = 4096;
const UNDEFINED = new Array<number>(8).fill(0xff);

/** The types, as messages: class and version, bits, size, where sign, exponent and fraction are. */
const TYPES: Readonly<Record<Hdf5ArrayToWrite['dtype'], readonly number[]>> = {
  float32: [0x11, 0x20, 0x1f, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0],
  int32: [0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0],
  uint32: [0x10, 0, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0],
  // An enumeration of bytes, FALSE = 0 and TRUE = 1, as h5py has it.
  bool: [
    ...[0x38, 2, 0, 0, 1, 0, 0, 0],
    ...[0x10, 8, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0],
    ...ascii('FALSE\0TRUE\0'),
    ...[0, 1],
  ],
};
/** Texts of UTF-8 of any length. */
const TEXT_TYPE = [0x19, 1, 1, 0, 16, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0];

/**
 * Makes the bytes of a file.
 *
 * @param root Its root.
 * @returns The bytes.
 * @throws Error when an array has another number of elements than its shape.
 */
export function writeHdf5(root: Hdf5GroupToWrite): Uint8Array {
  // First the sizes of all headers with addresses of 0, then the same again with the addresses that follow from them.
  const groups = flatten(root);
  const arrays = groups.flatMap((group) => [...group.arrays]);
  for (const [name, array] of arrays) checkArray(name, array);
  const places = new Map<object, number>();
  const heap = new Texts(groups);
  let end = SUPERBLOCK_SIZE;
  const place = (thing: object, size: number): void => {
    places.set(thing, end);
    end += Math.ceil(size / 8) * 8;
  };
  for (const group of groups) place(group, groupHeader(group, places, heap).length);
  for (const [, array] of arrays) place(array, arrayHeader(array, 0).length);
  heap.address = end;
  end += heap.size;
  const starts = new Map<object, number>();
  for (const [, array] of arrays) {
    end = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    starts.set(array, end);
    end += array.values.byteLength;
  }
  const out = new Uint8Array(end);
  out.set(superblock(end, places.get(root)!), 0);
  for (const group of groups) out.set(groupHeader(group, places, heap), places.get(group));
  for (const [, array] of arrays) {
    const { buffer, byteOffset, byteLength } = array.values;
    out.set(arrayHeader(array, starts.get(array)!), places.get(array));
    out.set(new Uint8Array(buffer, byteOffset, byteLength), starts.get(array));
  }
  heap.write(out);
  return out;
}

function flatten(group: Hdf5GroupToWrite): Hdf5GroupToWrite[] {
  return [group, ...[...group.groups.values()].flatMap(flatten)];
}

function checkArray(name: string, { shape, values }: Hdf5ArrayToWrite): void {
  const size = shape.reduce((product, axis) => product * axis, 1);
  assert(
    values.length === size,
    () =>
      `writeHdf5: array '${name}' of shape [${shape.join(', ')}] must have ${size} elements, got ${values.length}.`,
  );
}

function superblock(end: number, root: number): number[] {
  const bytes = [0x89, ...ascii('HDF\r\n'), 0x1a, 0x0a, 2, 8, 8, 0];
  bytes.push(...u64(0), ...UNDEFINED, ...u64(end), ...u64(root));
  return [...bytes, ...u32(lookup3(bytes))];
}

function groupHeader(
  group: Hdf5GroupToWrite,
  places: ReadonlyMap<object, number>,
  heap: Texts,
): number[] {
  const links = [...group.groups, ...group.arrays].map(([name, target]) => {
    const bytes = utf8(name);
    return message(0x06, [
      1,
      0x11,
      1,
      ...u16(bytes.length),
      ...bytes,
      ...u64(places.get(target) ?? 0),
    ]);
  });
  const attributes = [...group.attributes.keys()].map((name, i) => {
    const bytes = [...utf8(name), 0];
    const sizes = [...u16(bytes.length), ...u16(TEXT_TYPE.length), ...u16(4)];
    const scalar = [2, 0, 0, 0];
    return message(0x0c, [
      3,
      0,
      ...sizes,
      1,
      ...bytes,
      ...TEXT_TYPE,
      ...scalar,
      ...heap.reference(group, i),
    ]);
  });
  return header([
    message(0x02, [0, 0, ...UNDEFINED, ...UNDEFINED]), // no heap of names
    message(0x0a, [0, 0]),
    ...links,
    ...attributes,
  ]);
}

function arrayHeader({ shape, dtype, values }: Hdf5ArrayToWrite, start: number): number[] {
  const size = values.byteLength;
  return header([
    message(0x01, [2, shape.length, 0, shape.length === 0 ? 0 : 1, ...shape.flatMap(u64)]),
    message(0x03, TYPES[dtype], 1),
    message(0x05, [3, 0x0a], 1), // filled with zeros where nothing was written, which is nowhere
    message(0x08, [3, 1, ...(size === 0 ? UNDEFINED : u64(start)), ...u64(size)]),
  ]);
}

function message(type: number, body: readonly number[], flags = 0): number[] {
  assert(
    body.length < 2 ** 16,
    () => `writeHdf5: a name or a text must be shorter than 64 kB, got ${body.length} bytes.`,
  );
  return [type, ...u16(body.length), flags, ...body];
}

function header(messages: readonly number[][]): number[] {
  const body = messages.flat();
  const bytes = [...ascii('OHDR'), 2, 2, ...u32(body.length), ...body];
  return [...bytes, ...u32(lookup3(bytes))];
}

/** The heap of the attributes' texts. */
class Texts {
  /** Where it is. */
  address = 0;
  /** How many bytes it has. */
  readonly size: number;
  private readonly texts: number[][] = [];
  private readonly first = new Map<object, number>();

  constructor(groups: readonly Hdf5GroupToWrite[]) {
    for (const group of groups) {
      this.first.set(group, this.texts.length);
      this.texts.push(...[...group.attributes.values()].map(utf8));
    }
    assert(this.texts.length < 2 ** 16, () => `writeHdf5: there are more than 65535 attributes.`);
    const used = this.texts.reduce((sum, bytes) => sum + 16 + padded(bytes.length), 16);
    this.size = this.texts.length === 0 ? 0 : Math.max(HEAP_SIZE, used + 16);
  }

  /** A reference to the text of the attribute with this number in a group. */
  reference(group: object, number: number): number[] {
    const index = this.first.get(group)! + number;
    return [...u32(this.texts[index].length), ...u64(this.address), ...u32(index + 1)];
  }

  write(out: Uint8Array): void {
    if (this.size === 0) return;
    out.set([...ascii('GCOL'), 1, 0, 0, 0, ...u64(this.size)], this.address);
    let at = this.address + 16;
    this.texts.forEach((bytes, i) => {
      out.set([...u16(i + 1), ...u16(1), ...u32(0), ...u64(bytes.length), ...bytes], at);
      at += 16 + padded(bytes.length);
    });
    out.set([...u16(0), ...u16(0), ...u32(0), ...u64(this.address + this.size - at)], at); // free
  }
}

function padded(size: number): number {
  return Math.ceil(size / 8) * 8;
}

function u16(value: number): number[] {
  return [value & 255, value >> 8];
}

function u32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

function u64(value: number): number[] {
  return [...u32((value % 2 ** 32) | 0), ...u32(Math.floor(value / 2 ** 32))];
}

function ascii(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}

function utf8(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}
