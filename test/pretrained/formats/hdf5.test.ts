import { convertElements } from '../../../src/pretrained/formats/elements.js';
import { isHdf5, readHdf5, type Hdf5Group } from '../../../src/pretrained/formats/hdf5.js';
import { writeHdf5 } from '../../../src/pretrained/formats/hdf5_write.js';
import { readFixtureFile } from '../../support/fixture_files.js';
// It has no types.
const jsfive = require('jsfive') as { File: new (bytes: ArrayBuffer) => JsfiveGroup };

/** What is used of jsfive, another reader. */
interface JsfiveGroup {
  keys: string[];
  get(name: string): JsfiveGroup & { shape?: number[]; value: number[] };
}

/** The bytes of a fixture, ours to change. */
const fixture = (name: string): Uint8Array => new Uint8Array(readFixtureFile(name));
const read = (name: string): Hdf5Group => readHdf5(name, fixture(name));

function values(group: Hdf5Group, name: string): number[] {
  const { type, bytes } = group.arrays.get(name)!;
  return Array.from(convertElements(name, type.name, bytes, type.bigEndian));
}

test('every type of elements', () => {
  const root = read('keras_files/dtypes.h5');
  const names: [string, string][] = [
    ...['f2 float16', 'f4 float32', 'f8 float64', '>f4 float32', '>f8 float64', 'i1 int8'],
    ...[
      'i2 int16',
      'i4 int32',
      'i8 int64',
      '>i4 int32',
      'u1 uint8',
      'u2 uint16',
      'u4 uint32',
      'u8 uint64',
    ],
  ].map((line) => line.split(' ') as [string, string]);
  for (const [name, type] of names) {
    expect(root.arrays.get(name)).toMatchObject({ shape: [2, 3], type: { name: type } });
    const [third, last] = [name.startsWith('u') ? 3 : -3, name.includes('f') ? 0.5 : 5];
    expect(values(root, name)).toEqual([0, 1, 2, third, 100, last]);
  }
  expect(values(root, 'bfloat16')).toEqual([1, -2.5, 3.140625]);
  expect(values(root, 'bool')).toEqual([1, 0, 1]);
  expect(root.arrays.get('bool')!.type.name).toBe('bool');
  expect(root.arrays.get('scalar')!.shape).toEqual([]);
  expect(values(root, 'scalar')).toEqual([7]);
  expect(root.arrays.get('empty')!.shape).toEqual([0, 5]);
  expect(values(root, 'empty')).toEqual([]);
  expect(root.arrays.get('complex')!.type.name).toBe('compound');
  expect(root.arrays.get('text')!.type.name).toBe('string');
});

test('attributes that are texts', () => {
  const { attributes } = read('keras_files/dtypes.h5');
  expect(Object.fromEntries(attributes)).toEqual({
    text: 'grüße',
    bytes: 'fixed',
    texts: ['a', '', 'bcd'],
    fixed: ['ab', 'cde'],
    none: [],
    number: null,
  });
});

test('a group of more names than one node holds', () => {
  const many = read('keras_files/dtypes.h5').groups.get('many')!;
  expect(many.arrays.size).toBe(300);
  for (let i = 0; i < 300; i++) expect(values(many, String(i))).toEqual([i % 100]);
});

test('the layout of newer files', () => {
  const root = read('keras_files/newer.h5');
  expect(values(root, 'flags')).toEqual([0, 1]);
  const group = root.groups.get('group')!;
  expect(group.attributes.get('name')).toBe('new');
  for (let i = 0; i < 5; i++)
    expect(values(group, String(i))).toEqual([0, 1, 2, 3, 4].slice(0, i + 1));
});

test.each([
  'keras_models/classifier.h5',
  'keras_models/hub_seq2seq.weights.h5',
  'keras_files/float64.h5',
])('jsfive reads the same from %s', (name) => {
  const compare = (ours: Hdf5Group, theirs: JsfiveGroup): number => {
    expect([...ours.arrays.keys(), ...ours.groups.keys()].sort()).toEqual([...theirs.keys].sort());
    let count = 0;
    for (const [key, { shape }] of ours.arrays) {
      expect(theirs.get(key).shape).toEqual(shape);
      expect(values(ours, key)).toEqual(Array.from(Float32Array.from(theirs.get(key).value)));
      count++;
    }
    for (const [key, group] of ours.groups) count += compare(group, theirs.get(key));
    return count;
  };
  const bytes = fixture(name);
  expect(
    compare(readHdf5(name, bytes), new jsfive.File(bytes.buffer as ArrayBuffer)),
  ).toBeGreaterThan(2);
});

test.each([
  [
    'chunked',
    "array 'packed' is stored in chunks, packed, or in another file, which Keras does not do.",
  ],
  [
    'soft_link',
    "'link' is a link to something else, which Keras does not write. Don't use this file.",
  ],
  ['external_link', "'link' is a link to something else"],
])('%s.h5 is refused', (name, message) => {
  expect(() => read(`keras_files/${name}.h5`)).toThrow(message);
});

describe('broken files', () => {
  const NAME = 'keras_files/float16.h5';
  const readBytes = (bytes: Uint8Array): Hdf5Group => readHdf5('a.h5', bytes);
  /** Where a text is in the file. */
  const find = (bytes: Uint8Array, text: string, from = 0): number =>
    Buffer.from(bytes.buffer).indexOf(text, from, 'latin1');

  test('no HDF5', () => {
    expect(isHdf5(new Uint8Array(3))).toBe(false);
    expect(() => readBytes(new Uint8Array(100))).toThrow(
      'a.h5 is a broken HDF5 file: it does not begin as one.',
    );
  });

  test('every place where it may be cut off', () => {
    const bytes = fixture(NAME);
    for (let length = 8; length < bytes.length; length += 61) {
      expect(() => readBytes(bytes.subarray(0, length))).toThrow(
        /^a\.h5 is (cut off|a broken HDF5 file)/,
      );
    }
    expect(() => readBytes(bytes.subarray(0, -1))).toThrow(
      `a.h5 is cut off: it must have ${bytes.length} bytes, got ${bytes.length - 1}. Copy or download it again.`,
    );
  });

  test('a superblock that is not known', () => {
    const bytes = fixture(NAME);
    bytes[8] = 9;
    expect(() => readBytes(bytes)).toThrow(
      "a.h5 has version 9 of HDF5's superblock, known are 0 to 3.",
    );
  });

  test('a shape of more than the file has', () => {
    const bytes = fixture('keras_files/newer.h5');
    // The shape [5] of the last array of the group, in a message of type 1 with rank 1 and a largest size.
    const at = find(
      bytes,
      '\x01\x14\0\0\x02\x01\x01\x01\x05\0\0\0\0\0\0\0'.replace('\x14\0\0', '\x14\0\0'),
    );
    expect(at).toBeGreaterThan(0);
    bytes[at + 8 + 5] = 1;
    expect(() => readBytes(bytes)).toThrow(
      `array '4' of shape [${5 + 2 ** 40}] must have ${4 * (5 + 2 ** 40)} bytes, got 20`,
    );
  });

  test('a group that contains itself', () => {
    const bytes = fixture('keras_files/soft_link.h5');
    const view = new DataView(bytes.buffer);
    const root = Number(view.getBigUint64(64, true));
    const node = find(bytes, 'SNOD');
    view.setBigUint64(node + 8 + 8, BigInt(root), true); // the first name is the root now
    expect(() => readBytes(bytes)).toThrow(/the object at byte \d+ is in it twice|is a link/);
    view.setUint16(node + 6, 1, true); // without the link behind it
    expect(() => readBytes(bytes)).toThrow(`the object at byte ${root} is in it twice`);
  });

  test('a tree of names that contains itself, and one of uneven height', () => {
    const bytes = fixture('keras_files/dtypes.h5');
    const view = new DataView(bytes.buffer);
    // The node of height 1 above the 300 names.
    let node = find(bytes, 'TREE');
    while (node >= 0 && bytes[node + 5] !== 1) node = find(bytes, 'TREE', node + 1);
    const child = view.getBigUint64(node + 32, true);
    view.setBigUint64(node + 32, BigInt(node), true);
    expect(() => readBytes(bytes)).toThrow(`the node at byte ${node} is in its tree twice`);
    view.setBigUint64(node + 32, child, true);
    bytes[node + 5] = 3;
    expect(() => readBytes(bytes)).toThrow(`the tree at byte ${child} is uneven`);
  });

  test('one tree below many groups', () => {
    // All 300 names lead to the first object: a reader that follows them would read it 300 times.
    const bytes = fixture('keras_files/dtypes.h5');
    const view = new DataView(bytes.buffer);
    let node = find(bytes, 'SNOD');
    let target: bigint | undefined;
    for (; node >= 0; node = find(bytes, 'SNOD', node + 1)) {
      for (let i = 0; i < view.getUint16(node + 6, true); i++) {
        target ??= view.getBigUint64(node + 8 + 40 * i + 8, true);
        view.setBigUint64(node + 8 + 40 * i + 8, target, true);
      }
    }
    expect(() => readBytes(bytes)).toThrow('is in it twice, which Keras does not write');
  });

  test('arrays that all claim the whole file', () => {
    const values = new Float32Array(25_000);
    const one = { shape: [25_000], dtype: 'float32', values } as const;
    const arrays = new Map(Array.from({ length: 20 }, (_, i) => [`a${i}`, { ...one }]));
    const bytes = writeHdf5({ attributes: new Map(), groups: new Map(), arrays });
    const view = new DataView(bytes.buffer);
    // A file of one array: all headers point at the first one's bytes, and what is behind is cut off.
    const end = view.byteLength - 19 * 100_032;
    for (let at = find(bytes, 'OHDR', 60); at >= 0; at = find(bytes, 'OHDR', at + 1)) {
      expect([bytes[at + 60], bytes[at + 61]]).toEqual([3, 1]);
      view.setBigUint64(at + 62, BigInt(end - 100_000), true);
    }
    view.setBigUint64(28, BigInt(end), true);
    expect(() => readBytes(bytes.subarray(0, end))).toThrow(
      'the same bytes are used for many things',
    );
  });
});
