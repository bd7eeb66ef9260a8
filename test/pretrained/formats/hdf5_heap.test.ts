import { unzipSync } from 'fflate';
import { readHdf5, type Hdf5Group } from '../../../src/pretrained/formats/hdf5.js';
import { readFixtureFile } from '../../support/fixture_files.js';

const names = (): Uint8Array => new Uint8Array(readFixtureFile('keras_files/names.h5'));
const read = (bytes: Uint8Array): Hdf5Group => readHdf5('a.h5', bytes);

/** Asserts that a group has `count` arrays, named by what is in them. */
function expectNumbered(group: Hdf5Group, count: number, prefix: string): void {
  expect(group.arrays.size).toBe(count);
  for (let i = 0; i < count; i++) expect(group.arrays.get(`${prefix}${i}`)!.bytes[0]).toBe(i % 100);
}

test.each([
  ['few', 5],
  ['some', 12],
  ['many', 120],
])('%s names that are not ASCII', (group, count) => {
  expectNumbered(read(names()).groups.get(group)!, count, 'ä');
});

test('so many that there are trees in the tree of names', () => {
  const { 'many_names.h5': file } = unzipSync(
    new Uint8Array(readFixtureFile('keras_files/many_names.zip')),
  );
  expectNumbered(read(file).groups.get('many')!, 1500, '');
});

describe('broken', () => {
  /** Where a signature is, the last one: that of the group with many names. */
  const last = (bytes: Uint8Array, text: string): number =>
    Buffer.from(bytes.buffer).lastIndexOf(text, undefined, 'latin1');

  test.each([
    ['FRHP', 0, 1, /there is no heap at byte \d+/],
    ['FRHP', 7, 1, /the heap at byte \d+ is packed, which Keras does not do/],
    ['FRHP', 110, 0, /the heap at byte \d+ has no sizes/],
    ['FRHP', 129, 1, /the heap at byte \d+ is too large/],
    ['FRHP', 140, 0, /there is no block of a heap at byte \d+/],
    ['FRHP', 110, 1, /there is no byte \d+ in the heap/],
    ['BTHD', 5, 8, /there is no tree of names at byte \d+/],
    ['BTHD', 13, 1, /the tree at byte \d+ has height 257/],
    ['BTHD', 12, 0, /there is no node of names at byte \d+/],
    ['BTHD', 12, 2, /there is no node of names at byte \d+/],
    ['FHIB', 0, 0, /there is no table of a heap at byte \d+/],
  ])('%s, byte %i is %i', (signature, at, value, message) => {
    const bytes = names();
    bytes[last(bytes, signature) + at] = value;
    expect(() => read(bytes)).toThrow(/a\.h5 is a broken HDF5 file/);
    expect(() => read(bytes)).toThrow(message);
  });

  test('a node that is below itself', () => {
    const bytes = names();
    const view = new DataView(bytes.buffer);
    const node = last(bytes, 'BTIN');
    const records = view.getUint16(last(bytes, 'BTHD') + 24, true);
    view.setBigUint64(node + 6 + 11 * records, BigInt(node), true);
    expect(() => read(bytes)).toThrow(`the node at byte ${node} is in its tree twice`);
  });

  test('any byte', () => {
    const good = names();
    const places = ['FRHP', 'BTHD', 'BTIN', 'BTLF', 'FHIB', 'FHDB'].flatMap((signature) => {
      const at = last(good, signature);
      expect(at).toBeGreaterThan(0);
      return Array.from({ length: 150 }, (_, i) => at + i);
    });
    let refused = 0;
    for (const place of places) {
      const bytes = names();
      bytes[place] ^= 0x55;
      try {
        read(bytes);
      } catch (error) {
        refused++;
        expect((error as Error).message).toMatch(/^a\.h5(:| is| holds)/);
      }
    }
    expect(refused).toBeGreaterThan(places.length / 4);
  });
});
