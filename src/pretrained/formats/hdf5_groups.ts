/** What is in a group of an HDF5 file: names, and where the objects are. */
import { assert } from '../../util/errors.js';
import type { ByteReader } from './byte_reader.js';
import { findLinks } from './hdf5_heap.js';
import { MESSAGE, type Message } from './hdf5_messages.js';

/**
 * Reads the links of a group: a symbol table (what h5py writes), link messages (newer files, and names that are not
 * ASCII), or a heap of those when there are many.
 *
 * @param label First words of every error.
 * @param file The file.
 * @param messages The group's header.
 * @returns Names and addresses.
 * @throws Error when they are broken, or lead elsewhere than to an object of this file.
 */
export function readLinks(
  label: string,
  file: ByteReader,
  messages: readonly Message[],
): [name: string, address: number][] {
  const links: [string, number][] = [];
  for (const { type, at } of messages) {
    if (type === MESSAGE.symbolTable) {
      links.push(...readSymbolTable(label, file, file.u64(at), file.u64(at + 8)));
    } else if (type === MESSAGE.link) links.push(readLink(label, file, at));
    else if (type === MESSAGE.linkInfo) {
      const heap = at + 2 + (file.u8(at + 1) & 1 ? 8 : 0);
      if (file.u64(heap) === Infinity) continue;
      for (const link of findLinks(file, file.u64(heap), file.u64(heap + 8))) {
        links.push(readLink(label, file, link));
      }
    }
  }
  for (const [name] of links) {
    file.check(name !== '' && !name.includes('/'), () => `an object is called '${name}'`);
  }
  return links;
}

/** A B-tree of nodes of names; the names are in a heap of their own. */
function readSymbolTable(
  label: string,
  file: ByteReader,
  root: number,
  heap: number,
): [string, number][] {
  if (root === Infinity) return [];
  file.check(file.isAt(heap, 'HEAP'), () => `there are no names at byte ${heap}`);
  const [namesSize, namesAt] = [file.u64(heap + 8), file.u64(heap + 24)];
  const names = file.slice(namesAt, namesSize);
  const links: [string, number][] = [];
  const seen = new Set<number>();
  // Level −1 are the nodes of names, below those of height 0.
  const queue: { at: number; level: number | null }[] = [{ at: root, level: null }];
  for (const { at, level } of queue) {
    file.check(!seen.has(at), () => `the node at byte ${at} is in its tree twice`);
    seen.add(at);
    if (level === -1) {
      file.check(file.isAt(at, 'SNOD'), () => `there is no node of names at byte ${at}`);
      const count = file.u16(at + 6);
      file.spend(8 + 40 * count);
      for (let i = 0; i < count; i++) {
        const entry = at + 8 + 40 * i;
        const from = file.u64(entry);
        const to = names.indexOf(0, from);
        file.check(
          from < namesSize && to >= 0,
          () => `there is no name at byte ${from} of its heap`,
        );
        file.spend(to - from);
        assert(file.u32(entry + 16) < 2, () =>
          linkError(label, file.text(namesAt + from, to - from)),
        );
        links.push([file.text(namesAt + from, to - from), file.u64(entry + 8)]);
      }
      continue;
    }
    file.check(
      file.isAt(at, 'TREE') && file.u8(at + 4) === 0,
      () => `there is no tree of names at byte ${at}`,
    );
    const height = file.u8(at + 5);
    file.check(level === null || height === level, () => `the tree at byte ${at} is uneven`);
    const count = file.u16(at + 6);
    file.spend(24 + 16 * count);
    for (let i = 0; i < count; i++) {
      queue.push({ at: file.u64(at + 32 + 16 * i), level: height - 1 });
    }
  }
  return links;
}

/** A link message. */
function readLink(label: string, file: ByteReader, at: number): [string, number] {
  file.check(file.u8(at) === 1, () => `the link at byte ${at} has no version`);
  const flags = file.u8(at + 1);
  let from = at + 2;
  const type = flags & 8 ? file.u8(from++) : 0;
  if (flags & 4) from += 8; // when it was made
  if (flags & 16) from++; // in which alphabet
  const width = 2 ** (flags & 3);
  const length = file.unsigned(from, width);
  from += width;
  const name = file.text(from, length);
  assert(type === 0, () => linkError(label, name));
  return [name, file.u64(from + length)];
}

function linkError(label: string, name: string): string {
  return `${label}: '${name}' is a link to something else, which Keras does not write. Don't use this file.`;
}
