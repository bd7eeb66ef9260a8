/**
 * The names of a group that has many: link messages in a fractal heap, found through a B-tree of their hashes. HDF5
 * writes them so when there are more than eight and one is not ASCII, and in newer files. After the "HDF5 File Format
 * Specification", version 3.0, sections III.A.2 and III.G.
 */
import type { ByteReader } from './byte_reader.js';

/**
 * Finds the link messages of such a group.
 *
 * @param file The file.
 * @param heapAt Where the heap's header is.
 * @param treeAt Where the header of the tree of names is.
 * @returns Where each message begins.
 * @throws Error when heap or tree are broken.
 */
export function findLinks(file: ByteReader, heapAt: number, treeAt: number): number[] {
  const heap = new Heap(file, heapAt);
  return readRecords(file, treeAt).map((record) => heap.find(record + HASH));
}

/** Bytes of the hash of a name, which is in front of its place in the heap. */
const HASH = 4;
/** Bytes in front of the records of a node: its signature, version and type. */
const NODE_HEAD = 6;
/** Type of a tree of links by their names. */
const LINKS_BY_NAME = 5;
/** No tree of names is this high: each level multiplies by at least two. */
const HIGHEST = 32;

/** Where each record of a tree begins, in the order of hashes. */
function readRecords(file: ByteReader, header: number): number[] {
  file.check(
    file.isAt(header, 'BTHD') && file.u8(header + 4) === 0 && file.u8(header + 5) === LINKS_BY_NAME,
    () => `there is no tree of names at byte ${header}`,
  );
  const [nodeSize, recordSize] = [file.u32(header + 6), file.u16(header + 10)];
  const [height, root, count] = [
    file.u16(header + 12),
    file.u64(header + 16),
    file.u16(header + 24),
  ];
  file.check(
    height <= HIGHEST && recordSize > HASH,
    () => `the tree at byte ${header} has height ${height} and records of ${recordSize} bytes`,
  );
  if (root === Infinity) return [];
  // A pointer to a node has its address, how many records it has, and where nodes are below it, how many are there in
  // all. These numbers have as many bytes as the largest of them needs.
  const room = nodeSize - NODE_HEAD - 4; // a checksum stands at the end
  const leafMost = Math.floor(room / recordSize);
  const countWidth = widthOf(leafMost);
  const totalWidths = [0];
  for (let level = 1, total = leafMost; level < height; level++) {
    const pointer = 8 + countWidth + totalWidths[level - 1];
    const most = Math.floor((room - pointer) / (recordSize + pointer));
    total = (most + 1) * total + most;
    totalWidths.push(widthOf(total));
  }
  const records: number[] = [];
  const seen = new Set<number>();
  const visit = (at: number, level: number, own: number): void => {
    file.check(!seen.has(at), () => `the node at byte ${at} is in its tree twice`);
    seen.add(at);
    file.check(
      file.isAt(at, level > 0 ? 'BTIN' : 'BTLF'),
      () => `there is no node of names at byte ${at}`,
    );
    const width = level > 0 ? 8 + countWidth + totalWidths[level - 1] : 0;
    file.spend(NODE_HEAD + own * recordSize + (own + 1) * width);
    const pointers = at + NODE_HEAD + own * recordSize;
    for (let i = 0; i <= own; i++) {
      if (level > 0) {
        const pointer = pointers + i * width;
        visit(file.u64(pointer), level - 1, file.unsigned(pointer + 8, countWidth));
      }
      if (i < own) records.push(at + NODE_HEAD + i * recordSize);
    }
  };
  visit(root, height, count);
  return records;
}

/** A heap: blocks of growing size, addressed as if they stood one behind another. */
class Heap {
  private readonly offsetWidth: number;
  private readonly lengthWidth: number;
  /** Blocks in a row of the table of blocks. */
  private readonly columns: number;
  /** Bytes of a block of the first row. */
  private readonly smallest: number;
  /** Bytes of the largest block that has objects; larger ones are tables of blocks. */
  private readonly largest: number;
  private readonly root: number;
  /** Rows of the table at the root; 0 when the root is a block with objects. */
  private readonly rows: number;

  constructor(
    private readonly file: ByteReader,
    header: number,
  ) {
    file.check(
      file.isAt(header, 'FRHP') && file.u8(header + 4) === 0,
      () => `there is no heap at byte ${header}`,
    );
    file.check(
      file.u16(header + 7) === 0,
      () => `the heap at byte ${header} is packed, which Keras does not do`,
    );
    this.columns = file.u16(header + 110);
    [this.smallest, this.largest] = [file.u64(header + 112), file.u64(header + 120)];
    file.check(
      this.columns > 0 && this.smallest > 0 && this.largest >= this.smallest,
      () => `the heap at byte ${header} has no sizes`,
    );
    this.offsetWidth = Math.ceil(file.u16(header + 128) / 8);
    this.lengthWidth = Math.min(
      Math.ceil(Math.log2(this.largest) / 8),
      widthOf(file.u32(header + 10)),
    );
    file.check(this.offsetWidth <= 8, () => `the heap at byte ${header} is too large`);
    [this.root, this.rows] = [file.u64(header + 132), file.u16(header + 140)];
  }

  /**
   * Finds an object.
   *
   * @param id Where the number is that the heap has given it.
   * @returns Where it begins.
   */
  find(id: number): number {
    const { file } = this;
    const kind = file.u8(id) >> 4;
    file.check(kind === 0, () => `the name at byte ${id} is of kind ${kind}`);
    const offset = file.unsigned(id + 1, this.offsetWidth);
    const length = file.unsigned(id + 1 + this.offsetWidth, this.lengthWidth);
    file.spend(length);
    return this.within(this.root, this.rows, offset, length);
  }

  /** Where an object is in a block with objects (no rows), or in a table of blocks. */
  private within(at: number, rows: number, offset: number, length: number): number {
    const { file, columns, smallest, largest, offsetWidth } = this;
    const head = 13 + offsetWidth; // signature, version, address of the header, own offset
    if (rows === 0) {
      file.check(file.isAt(at, 'FHDB'), () => `there is no block of a heap at byte ${at}`);
      file.slice(at + offset, length);
      return at + offset;
    }
    file.check(file.isAt(at, 'FHIB'), () => `there is no table of a heap at byte ${at}`);
    // The first two rows have blocks of the same size, each after them of twice the size.
    for (let row = 0, start = 0, size = smallest; row < rows; row++) {
      if (row > 1) size *= 2;
      if (offset < start + columns * size) {
        const column = Math.floor((offset - start) / size);
        const child = file.u64(at + head + 8 * (row * columns + column));
        // A table covers as many rows as make up its size.
        const inside = size <= largest ? 0 : Math.log2(size / (smallest * columns)) + 1;
        return this.within(child, inside, offset - start - column * size, length);
      }
      start += columns * size;
    }
    return file.broken(`there is no byte ${offset} in the heap`);
  }
}

/** How many bytes a number up to `most` needs. */
function widthOf(most: number): number {
  return Math.floor(Math.log2(Math.max(most, 1)) / 8) + 1;
}
