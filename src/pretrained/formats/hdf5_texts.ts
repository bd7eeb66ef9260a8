/** Texts of any length in an HDF5 file: they are in heaps, and referred to by heap and number. */
import type { ByteReader } from './byte_reader.js';

/** The global heaps of a file; each is read once. */
export class TextHeap {
  private readonly heaps = new Map<number, ReadonlyMap<number, [at: number, size: number]>>();
  private readonly read = new Map<string, string>();

  /** @param file The file. */
  constructor(private readonly file: ByteReader) {}

  /**
   * Reads a text.
   *
   * @param at Where the reference is: length, address of the heap, number in it.
   * @returns The text.
   */
  at(at: number): string {
    const { file } = this;
    const [length, address, number] = [file.u32(at), file.u64(at + 4), file.u32(at + 12)];
    if (length === 0) return '';
    const missing = `there is no text ${number} of ${length} bytes at byte ${address}`;
    const [from, size] = this.heap(address).get(number) ?? file.broken(missing);
    file.check(length === size, () => missing);
    const known = this.read.get(`${address} ${number}`);
    if (known !== undefined) return known;
    file.spend(length);
    const text = file.text(from, length);
    this.read.set(`${address} ${number}`, text);
    return text;
  }

  private heap(address: number): ReadonlyMap<number, [at: number, size: number]> {
    const { file } = this;
    const known = this.heaps.get(address);
    if (known) return known;
    file.check(file.isAt(address, 'GCOL'), () => `there is no heap at byte ${address}`);
    const end = address + file.u64(address + 8);
    file.slice(address, end - address);
    const objects = new Map<number, [number, number]>();
    for (let at = address + 16; at + 16 <= end;) {
      const [index, size] = [file.u16(at), file.u64(at + 8)];
      if (index === 0) break; // the rest is free
      file.check(at + 16 + size <= end, () => `the heap at byte ${address} overflows`);
      file.spend(16);
      objects.set(index, [at + 16, size]);
      at += 16 + Math.ceil(size / 8) * 8;
    }
    this.heaps.set(address, objects);
    return objects;
  }
}
