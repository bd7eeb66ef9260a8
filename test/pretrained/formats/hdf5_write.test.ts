import * as fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertElements } from '../../../src/pretrained/formats/elements.js';
import { readHdf5, type Hdf5Group } from '../../../src/pretrained/formats/hdf5.js';
import {
  writeHdf5,
  type Hdf5ArrayToWrite,
  type Hdf5GroupToWrite,
} from '../../../src/pretrained/formats/hdf5_write.js';
import { lookup3 } from '../../../src/pretrained/formats/lookup3.js';

const group = (
  groups: Record<string, Hdf5GroupToWrite> = {},
  arrays: Record<string, Hdf5ArrayToWrite> = {},
  attributes: Record<string, string> = {},
): Hdf5GroupToWrite => ({
  groups: new Map(Object.entries(groups)),
  arrays: new Map(Object.entries(arrays)),
  attributes: new Map(Object.entries(attributes)),
});

/** The tree as plain objects. */
function plain(tree: Hdf5Group): unknown {
  return {
    attributes: Object.fromEntries(tree.attributes),
    groups: Object.fromEntries([...tree.groups].map(([name, inner]) => [name, plain(inner)])),
    arrays: Object.fromEntries(
      [...tree.arrays].map(([name, { shape, type, bytes }]) => [
        name,
        { shape, dtype: type.name, values: Array.from(convertElements(name, type.name, bytes)) },
      ]),
    ),
  };
}

test('what was written is read', () => {
  const weight = {
    shape: [2, 3],
    dtype: 'float32',
    values: Float32Array.of(1, 2, 3, 4, 5, -1e-40),
  } as const;
  const tree = group(
    {
      layers: group({ grüße: group({}, { 0: weight }, { name: 'größer', empty: '' }) }),
      none: group(),
    },
    {
      steps: { shape: [], dtype: 'int32', values: Int32Array.of(-7) },
      flags: { shape: [3], dtype: 'bool', values: Uint8Array.of(1, 0, 1) },
      seed: { shape: [2], dtype: 'uint32', values: Uint32Array.of(5, 1337) },
      nothing: { shape: [0, 3], dtype: 'float32', values: new Float32Array(0) },
    },
    { long: 'x'.repeat(70_000) },
  );
  expect(plain(readHdf5('a.h5', writeHdf5(tree)))).toEqual({
    attributes: { long: 'x'.repeat(70_000) },
    groups: {
      layers: {
        attributes: {},
        arrays: {},
        groups: {
          grüße: {
            attributes: { name: 'größer', empty: '' },
            groups: {},
            arrays: { 0: { ...weight, values: Array.from(weight.values) } },
          },
        },
      },
      none: { attributes: {}, groups: {}, arrays: {} },
    },
    arrays: {
      steps: { shape: [], dtype: 'int32', values: [-7] },
      flags: { shape: [3], dtype: 'bool', values: [1, 0, 1] },
      seed: { shape: [2], dtype: 'uint32', values: [5, 1337] },
      nothing: { shape: [0, 3], dtype: 'float32', values: [] },
    },
  });
});

test('every header has its checksum', () => {
  const bytes = writeHdf5(group({ a: group(), b: group({}, {}, { name: 'b' }) }));
  const view = new DataView(bytes.buffer);
  expect(view.getUint32(44, true)).toBe(lookup3(bytes.subarray(0, 44)));
  let headers = 0;
  for (let at = 0; (at = Buffer.from(bytes.buffer).indexOf('OHDR', at)) >= 0; at++) {
    const size = 10 + view.getUint32(at + 6, true);
    expect(view.getUint32(at + size, true)).toBe(lookup3(bytes.subarray(at, at + size)));
    headers++;
  }
  expect(headers).toBe(3);
});

test('any tree', () => {
  const name = fc.stringMatching(/^[a-z_\d]{1,8}$/);
  const array = fc.array(fc.nat(5), { maxLength: 3 }).map((shape): Hdf5ArrayToWrite => {
    const size = shape.reduce((product, axis) => product * axis, 1);
    return {
      shape,
      dtype: 'float32',
      values: Float32Array.from({ length: size }, (_, i) => i / 3),
    };
  });
  const treeOf = (depth: number): fc.Arbitrary<Hdf5GroupToWrite> =>
    fc
      .record({
        groups:
          depth === 0 ? fc.constant({}) : fc.dictionary(name, treeOf(depth - 1), { maxKeys: 3 }),
        arrays: fc.dictionary(name, array, { maxKeys: 3 }),
        attributes: fc.dictionary(name, fc.string({ unit: 'grapheme' }), { maxKeys: 3 }),
      })
      .map(({ groups, arrays, attributes }) => {
        for (const both of Object.keys(groups)) Reflect.deleteProperty(arrays, both);
        return group(groups, arrays, attributes);
      });
  const expected = (part: Hdf5GroupToWrite): unknown => ({
    attributes: Object.fromEntries([...part.attributes].map(([key, text]) => [key, text])),
    groups: Object.fromEntries([...part.groups].map(([key, inner]) => [key, expected(inner)])),
    arrays: Object.fromEntries(
      [...part.arrays].map(([key, { shape, dtype, values }]) => [
        key,
        { shape, dtype, values: Array.from(values) },
      ]),
    ),
  });
  fc.assert(
    fc.property(treeOf(3), (written) => {
      expect(plain(readHdf5('a.h5', writeHdf5(written)))).toEqual(expected(written));
    }),
    { numRuns: 50 },
  );
});

test('a shape that is not that of the values', () => {
  const wrong = group(
    {},
    { kernel: { shape: [2, 2], dtype: 'float32', values: new Float32Array(3) } },
  );
  expect(() => writeHdf5(wrong)).toThrow(
    "writeHdf5: array 'kernel' of shape [2, 2] must have 4 elements, got 3.",
  );
});

/** Reads with the HDF5 library itself, compiled to WebAssembly; it is ESM only, which jest does not load. */
const READ_WITH_LIBRARY = `
  import h5wasm from 'h5wasm/node';
  await h5wasm.ready;
  const file = new h5wasm.File(process.argv[1], 'r');
  const plain = (group) => Object.fromEntries(group.keys().map((name) => {
    const item = group.get(name);
    if (item instanceof h5wasm.Group) return [name, { name: item.attrs.name?.value, ...plain(item) }];
    return [name, { shape: item.shape, values: Array.from(item.value instanceof Object ? item.value : [item.value], Number) }];
  }));
  console.log(JSON.stringify(plain(file)));
`;

test('the HDF5 library reads it', () => {
  const kernel = { shape: [2, 1], dtype: 'float32', values: Float32Array.of(0.5, -2) } as const;
  const layers = Array.from({ length: 30 }, (_, i) => [
    `dense_${i}`,
    group({ vars: group({}, { 0: kernel }, { name: `größe ${i}` }) }),
  ]);
  const tree = group(
    { layers: group(Object.fromEntries(layers) as Record<string, Hdf5GroupToWrite>) },
    {
      count: { shape: [], dtype: 'int32', values: Int32Array.of(-7) },
      flags: { shape: [2], dtype: 'bool', values: Uint8Array.of(1, 0) },
      none: { shape: [0], dtype: 'float32', values: new Float32Array(0) },
      seed: { shape: [1], dtype: 'uint32', values: Uint32Array.of(4e9) },
    },
  );
  const folder = mkdtempSync(join(tmpdir(), 'hdf5-'));
  try {
    const path = join(folder, 'a.h5');
    writeFileSync(path, writeHdf5(tree));
    const out = execFileSync(
      process.execPath,
      ['--input-type=module', '-e', READ_WITH_LIBRARY, path],
      {
        encoding: 'utf8',
      },
    );
    const { layers: read, ...arrays } = JSON.parse(out) as Record<string, Record<string, unknown>>;
    expect(arrays).toEqual({
      count: { shape: [], values: [-7] },
      flags: { shape: [2], values: [1, 0] },
      none: { shape: [0], values: [] },
      seed: { shape: [1], values: [4e9] },
    });
    expect(Object.keys(read)).toHaveLength(30);
    for (let i = 0; i < 30; i++) {
      expect(read[`dense_${i}`]).toEqual({
        vars: { name: `größe ${i}`, 0: { shape: [2, 1], values: [0.5, -2] } },
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
