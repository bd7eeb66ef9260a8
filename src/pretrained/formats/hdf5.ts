/**
 * Reads the HDF5 files that Keras writes, and only those: groups, arrays in one piece, attributes that are texts. The
 * whole tree is checked when it is opened; arrays are views of the file.
 */
import { assert } from '../../util/errors.js';
import { ByteReader } from './byte_reader.js';
import { readLinks } from './hdf5_groups.js';
import {
  MESSAGE,
  readMessages,
  readShape,
  readType,
  type ElementType,
  type Message,
} from './hdf5_messages.js';
import { TextHeap } from './hdf5_texts.js';

/** A text, several, or null for an attribute that is neither. */
export type Hdf5Attribute = string | readonly string[] | null;

/** A group. */
export interface Hdf5Group {
  /** Its attributes. */
  readonly attributes: ReadonlyMap<string, Hdf5Attribute>;
  /** The groups in it. */
  readonly groups: ReadonlyMap<string, Hdf5Group>;
  /** The arrays in it. */
  readonly arrays: ReadonlyMap<string, Hdf5Array>;
}

/** An array. */
export interface Hdf5Array {
  /** Its attributes. */
  readonly attributes: ReadonlyMap<string, Hdf5Attribute>;
  /** Its shape. */
  readonly shape: readonly number[];
  /** The type of its elements. */
  readonly type: ElementType;
  /** Its bytes, as a view of the file. */
  readonly bytes: Uint8Array;
}

/** No model has groups in groups in groups … this deep. */
const DEEPEST = 100;

/**
 * Whether bytes begin as an HDF5 file does.
 *
 * @param bytes At least the first 8 bytes of a file.
 * @returns Whether they do.
 */
export function isHdf5(bytes: Uint8Array): boolean {
  return [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte);
}

/**
 * Reads a file.
 *
 * @param label First words of every error.
 * @param bytes The file.
 * @returns Its root.
 * @throws Error when it is broken or cut off, or uses something that Keras does not: links, chunks, filters, external files.
 */
export function readHdf5(label: string, bytes: Uint8Array): Hdf5Group {
  const file = new ByteReader(label, bytes, 'HDF5 file');
  file.check(isHdf5(bytes), () => 'it does not begin as one');
  const version = file.u8(8);
  assert(
    [0, 1, 2, 3].includes(version),
    () => `${label} has version ${version} of HDF5's superblock, known are 0 to 3. ${SAVE_AGAIN}`,
  );
  const old = version < 2;
  const [offsetSize, lengthSize] = old ? [file.u8(13), file.u8(14)] : [file.u8(9), file.u8(10)];
  file.check(offsetSize === 8 && lengthSize === 8, () => 'its addresses have no 8 bytes');
  const addresses = old ? 24 + (version === 1 ? 4 : 0) : 12;
  const [base, end] = [file.u64(addresses), file.u64(addresses + 16)];
  file.check(base === 0, () => `it begins at byte ${base} of itself`);
  assert(
    end <= bytes.length,
    () =>
      `${label} is cut off: it must have ${end} bytes, got ${bytes.length}. Copy or download it again.`,
  );
  const root = file.u64(addresses + (old ? 40 : 24));
  return new TreeReader(label, file).group(root, 0);
}

const SAVE_AGAIN = `In Python, load the model and save it again as a .keras file.`;

class TreeReader {
  private readonly texts: TextHeap;
  /** Objects that were read: a file whose groups contain each other would have no end. */
  private readonly seen = new Set<number>();

  constructor(
    private readonly label: string,
    private readonly file: ByteReader,
  ) {
    this.texts = new TextHeap(file);
  }

  group(address: number, depth: number, messages = this.messages(address)): Hdf5Group {
    const { file } = this;
    file.check(depth <= DEEPEST, () => `its groups are nested more than ${DEEPEST} deep`);
    const groups = new Map<string, Hdf5Group>();
    const arrays = new Map<string, Hdf5Array>();
    for (const [name, target] of readLinks(this.label, file, messages)) {
      file.check(!groups.has(name) && !arrays.has(name), () => `'${name}' is twice in a group`);
      const inner = this.messages(target);
      if (inner.some(({ type }) => type === MESSAGE.dataspace)) {
        arrays.set(name, this.array(name, inner));
      } else groups.set(name, this.group(target, depth + 1, inner));
    }
    return { attributes: this.attributes(messages), groups, arrays };
  }

  private messages(address: number): Message[] {
    this.file.check(
      !this.seen.has(address),
      () => `the object at byte ${address} is in it twice, which Keras does not write`,
    );
    this.seen.add(address);
    return readMessages(this.file, address);
  }

  private array(name: string, messages: Message[]): Hdf5Array {
    const { file } = this;
    const place = (type: number, what: string): number => {
      const found = messages.find((message) => message.type === type);
      return found?.at ?? file.broken(`array '${name}' has no ${what}`);
    };
    const shape =
      readShape(file, place(MESSAGE.dataspace, 'shape')) ?? file.broken(`array '${name}' is empty`);
    const type = readType(file, place(MESSAGE.datatype, 'type'));
    const length = shape.reduce((product, size) => product * size, type.size);
    const layout = place(MESSAGE.layout, 'place');
    const [version, kind] = [file.u8(layout), file.u8(layout + 1)];
    const plain =
      (version === 3 || version === 4) &&
      kind <= 1 &&
      !messages.some(({ type: t }) => t === MESSAGE.filters || t === MESSAGE.externalFiles);
    assert(
      plain,
      () =>
        `${this.label}: array '${name}' is stored in chunks, packed, or in another file, which Keras does not do. ${SAVE_AGAIN}`,
    );
    const compact = kind === 0;
    const stored = compact ? file.u16(layout + 2) : file.u64(layout + 10);
    const address = compact ? layout + 4 : file.u64(layout + 2);
    const absent = address === Infinity; // no place was made for it
    file.check(
      length === (absent ? 0 : stored),
      () =>
        `array '${name}' of shape [${shape.join(', ')}] must have ${length} bytes, got ${absent ? 0 : stored}`,
    );
    file.spend(length);
    const bytes = absent ? new Uint8Array(0) : file.slice(address, length);
    return { attributes: this.attributes(messages), shape, type, bytes };
  }

  private attributes(messages: Message[]): Map<string, Hdf5Attribute> {
    const { file } = this;
    const attributes = new Map<string, Hdf5Attribute>();
    for (const { type, at, size } of messages) {
      assert(
        type !== MESSAGE.attributeInfo || attributesInPlace(file, at),
        () =>
          `${this.label} keeps attributes in a heap of their own, which Keras does not do. ${SAVE_AGAIN}`,
      );
      if (type !== MESSAGE.attribute) continue;
      const [name, value] = this.attribute(at, size);
      attributes.set(name, value);
    }
    return attributes;
  }

  private attribute(at: number, space: number): [string, Hdf5Attribute] {
    const { file } = this;
    const version = file.u8(at);
    file.check(version >= 1 && version <= 3, () => `the attribute at byte ${at} has no version`);
    file.check(version === 1 || file.u8(at + 1) === 0, () => 'an attribute shares its type');
    const padded = (size: number): number => (version === 1 ? Math.ceil(size / 8) * 8 : size);
    const sizes = [file.u16(at + 2), file.u16(at + 4), file.u16(at + 6)];
    const nameAt = at + (version === 3 ? 9 : 8);
    const typeAt = nameAt + padded(sizes[0]);
    const shapeAt = typeAt + padded(sizes[1]);
    const dataAt = shapeAt + padded(sizes[2]);
    file.check(dataAt <= at + space, () => `the attribute at byte ${at} is too long`);
    const name = trimmed(file.text(nameAt, sizes[0]));
    const type = readType(file, typeAt);
    const shape = readShape(file, shapeAt);
    const count = (shape ?? [0]).reduce((product, size) => product * size, 1);
    // Keras' empty list of names is an array of no numbers.
    if (count === 0) return [name, []];
    if (type.name !== 'string') return [name, null];
    file.check(
      dataAt + count * type.size <= at + space,
      () => `attribute '${name}' is larger than its place`,
    );
    const texts = Array.from({ length: count }, (_, i) => {
      const place = dataAt + i * type.size;
      return type.variable ? this.texts.at(place) : trimmed(file.text(place, type.size));
    });
    return [name, shape!.length === 0 ? texts[0] : texts];
  }
}

/** Whether an attribute info message says that there is no heap of attributes. */
function attributesInPlace(file: ByteReader, at: number): boolean {
  return file.u64(at + 2 + (file.u8(at + 1) & 1 ? 2 : 0)) === Infinity;
}

/** A text up to its first zero byte. */
function trimmed(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
