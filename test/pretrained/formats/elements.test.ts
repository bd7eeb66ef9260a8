import * as fc from 'fast-check';
import {
  convertElements,
  halfToFloat,
  tensorTypeOf,
} from '../../../src/pretrained/formats/elements.js';

const convert = (dtype: string, bytes: ArrayLike<number>, bigEndian = false): number[] =>
  Array.from(convertElements('x', dtype, Uint8Array.from(bytes), bigEndian));

test('16-bit floats', () => {
  const known: [number, number][] = [
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3c00, 1],
    [0x3555, 0.333251953125],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
  ];
  for (const [bits, value] of known) expect(halfToFloat(bits)).toBe(value);
  expect(Object.is(halfToFloat(0x8000), -0)).toBe(true);
  expect(convert('float16', [0x55, 0x35, 0x00, 0xc0])).toEqual([0.333251953125, -2]);
});

test('bfloat16 is the upper half of a float32', () => {
  expect(convert('bfloat16', [0x80, 0x3f, 0x20, 0xc0, 0x80, 0x7f])).toEqual([1, -2.5, Infinity]);
});

test('integers of every width', () => {
  expect(convert('int8', [0xff, 0x7f])).toEqual([-1, 127]);
  expect(convert('uint8', [0xff])).toEqual([255]);
  expect(convert('int16', [0xfe, 0xff])).toEqual([-2]);
  expect(convert('uint16', [0xfe, 0xff])).toEqual([65534]);
  expect(convert('int64', [0xfd, ...new Array<number>(7).fill(0xff)])).toEqual([-3]);
  expect(convert('int32', [0, 0, 1, 2], true)).toEqual([258]);
  expect(convert('uint64', [0, 0, 0, 0, 0, 0, 1, 2], true)).toEqual([258]);
  expect(convert('bool', [0, 1, 7])).toEqual([0, 1, 1]);
});

test('what does not fit is refused', () => {
  expect(() => convert('uint32', [0, 0, 0, 0x80])).toThrow(
    'x has the uint32 2147483648 at 0, which does not fit into the int32 of TensorFlow.js. Convert it to int32 in Python.',
  );
  expect(() => convert('compound', [0])).toThrow(
    'x has the type compound, which TensorFlow.js does',
  );
  expect(tensorTypeOf('compound')).toBeNull();
  expect(tensorTypeOf('constructor')).toBeNull();
});

test('floats are a view where they lie at a multiple of 4, else a copy, also in a Buffer', () => {
  const numbers = [1.5, -2, 1e-40];
  const space = Buffer.alloc(4 * 5);
  for (let start = 0; start < 4; start++) {
    const bytes = space.subarray(start, start + 12);
    numbers.forEach((number, i) => bytes.writeFloatLE(number, 4 * i));
    const values = convertElements('x', 'float32', bytes);
    expect(Array.from(values)).toEqual(Array.from(Float32Array.from(numbers)));
    expect(values.buffer === space.buffer).toBe((space.byteOffset + start) % 4 === 0);
  }
});

test('both orders of bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true }), { maxLength: 5 }), (numbers) => {
      for (const bigEndian of [false, true]) {
        const view = new DataView(new ArrayBuffer(12 * numbers.length));
        numbers.forEach((number, i) => {
          view.setFloat32(4 * i, number, !bigEndian);
          view.setFloat64(4 * numbers.length + 8 * i, number, !bigEndian);
        });
        const bytes = new Uint8Array(view.buffer);
        expect(convert('float32', bytes.subarray(0, 4 * numbers.length), bigEndian)).toEqual(
          numbers,
        );
        expect(convert('float64', bytes.subarray(4 * numbers.length), bigEndian)).toEqual(numbers);
      }
    }),
  );
});
