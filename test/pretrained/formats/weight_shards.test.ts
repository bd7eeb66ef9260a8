import * as fc from 'fast-check';
import {
  decodeWeight,
  manifestTensorType,
  parseManifest,
  parseWeightSpecs,
  Pieces,
  placeWeights,
} from '../../../src/pretrained/formats/weight_shards.js';

const weight = { name: 'kernel', shape: [2], dtype: 'float32' };
const specs = (...weights: object[]): ReturnType<typeof parseWeightSpecs> =>
  parseWeightSpecs('a', weights);

test('a manifest', () => {
  const manifest = [{ paths: ['x.bin'], weights: [weight] }];
  expect(parseManifest('a', manifest)).toEqual(manifest);
  expect(manifestTensorType(specs(weight)[0])).toBe('float32');
  expect(manifestTensorType(specs({ ...weight, dtype: 'string' })[0])).toBeNull();
});

test.each([
  [{}, 'a: weightsManifest must be a list. Convert the model again.'],
  [[5], 'a: group 0 of weightsManifest must have paths'],
  [[{ paths: [] }], 'a: group 0 of weightsManifest must have weights'],
  [[{ paths: [], weights: [{}] }], 'a: every weight must have a name'],
  [[{ paths: [], weights: [{ name: 'k' }] }], "a: weight 'k' has no shape"],
  [
    [{ paths: [], weights: [{ ...weight, shape: [-1] }] }],
    "a: weight 'kernel' must have a shape of sizes, got shape=[-1]",
  ],
  [
    [{ paths: [], weights: [{ ...weight, shape: [1e99] }] }],
    "a: weight 'kernel' must have a shape of sizes",
  ],
  [
    [{ paths: [], weights: [{ ...weight, dtype: 'toString' }] }],
    "a: weight 'kernel' must have a dtype of float32, int32",
  ],
  [
    [{ paths: [], weights: [{ ...weight, quantization: { dtype: 'int4' } }] }],
    "a: weight 'kernel' has an unknown quantization",
  ],
])('%j is refused', (manifest, message) => {
  expect(() => parseManifest('a', manifest)).toThrow(message);
});

test('pieces are as one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 5 })),
      fc.nat(30),
      fc.nat(30),
      (parts, from, to) => {
        const all = parts.flatMap((part) => Array.from(part));
        const start = Math.min(from, all.length);
        const end = Math.min(all.length, Math.max(start, to));
        const pieces = new Pieces(parts);
        expect(pieces.length).toBe(all.length);
        expect(Array.from(pieces.slice(start, end - start))).toEqual(all.slice(start, end));
      },
    ),
  );
});

test('weights lie one after the other, texts after their lengths', () => {
  const weights = specs(
    weight,
    { name: 'words', shape: [2], dtype: 'string' },
    { name: 'flag', shape: [], dtype: 'bool' },
  );
  const words = [3, 0, 0, 0, 97, 98, 99, 0, 0, 0, 0];
  const data = new Pieces([new Uint8Array(8), Uint8Array.from([...words, 1])]);
  expect(placeWeights('a', weights, data).map(({ at, length }) => [at, length])).toEqual([
    [0, 8],
    [8, 11],
    [19, 1],
  ]);
});

test('bytes that are missing, or left over', () => {
  const place = (length: number): unknown =>
    placeWeights('a', specs(weight), new Pieces([new Uint8Array(length)]));
  expect(() => place(7)).toThrow(
    "a: the weights up to 'kernel' have 8 bytes, got 7. A file is cut off or missing",
  );
  expect(() => place(9)).toThrow('a: the weights have 8 bytes, got 9. Convert the model again.');
  const text = specs({ name: 'words', shape: [1e15], dtype: 'string' });
  expect(() => placeWeights('a', text, new Pieces([Uint8Array.of(255, 255, 255, 255)]))).toThrow(
    'have 4294967303 bytes',
  );
});

test('quantized weights', () => {
  const decode = (dtype: string, quantization: object, bytes: number[]): unknown => {
    const [spec] = specs({ name: 'k', shape: [], dtype, quantization });
    return decodeWeight('a', spec, Uint8Array.from(bytes));
  };
  expect(decode('float32', { dtype: 'uint8', scale: 0.5, min: -1 }, [0, 2, 255])).toEqual(
    Float32Array.of(-1, 0, 126.5),
  );
  expect(decode('float32', { dtype: 'uint16', scale: 0.5, min: -1 }, [0, 1])).toEqual(
    Float32Array.of(127),
  );
  expect(decode('float32', { dtype: 'float16' }, [0, 0x3c, 0, 0xc0])).toEqual(
    Float32Array.of(1, -2),
  );
  expect(decode('int32', { dtype: 'uint8', scale: 1.25, min: -3 }, [0, 3])).toEqual(
    Int32Array.of(-3, 1),
  );
});
