/** Stored elements of any type → the types that TensorFlow.js has. */
import { assert } from '../../util/errors.js';

/** Values as TensorFlow.js holds them. */
export type Elements = Float32Array | Int32Array | Uint8Array;

/** What TensorFlow.js makes of a stored type; a type that is not here cannot be read. */
const TENSOR_TYPES: Readonly<Record<string, 'float32' | 'int32' | 'bool'>> = {
  float32: 'float32',
  float64: 'float32',
  float16: 'float32',
  bfloat16: 'float32',
  int8: 'int32',
  int16: 'int32',
  int32: 'int32',
  int64: 'int32',
  uint8: 'int32',
  uint16: 'int32',
  uint32: 'int32',
  uint64: 'int32',
  bool: 'bool',
};

/**
 * What TensorFlow.js makes of a type.
 *
 * @param dtype Its name.
 * @returns 'float32' for floats, 'int32' for integers, 'bool', or null: there is nothing for it.
 */
export function tensorTypeOf(dtype: string): 'float32' | 'int32' | 'bool' | null {
  return Object.hasOwn(TENSOR_TYPES, dtype) ? TENSOR_TYPES[dtype] : null;
}

/** Whether this machine has the lowest byte first, as all that run JavaScript today. */
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Converts elements. Where their bytes are already right and lie at a multiple of 4, the result is a view of them.
 *
 * @param label First words of the error, with the name of the array.
 * @param dtype The stored type, one that `tensorTypeOf` knows.
 * @param bytes The elements.
 * @param bigEndian Whether the highest byte comes first.
 * @returns The elements.
 * @throws Error for an integer that does not fit into 32 bits.
 */
export function convertElements(
  label: string,
  dtype: string,
  bytes: Uint8Array,
  bigEndian = false,
): Elements {
  const swap = bigEndian === LITTLE_ENDIAN;
  if ((dtype === 'float32' || dtype === 'int32') && !swap) {
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
    const [buffer, offset, length] = [aligned.buffer, aligned.byteOffset, bytes.length >> 2];
    return dtype === 'float32'
      ? new Float32Array(buffer, offset, length)
      : new Int32Array(buffer, offset, length);
  }
  if (dtype === 'bool') return Uint8Array.from(bytes, (byte) => (byte === 0 ? 0 : 1));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = !bigEndian;
  const floats = (size: number, get: (at: number) => number): Float32Array => {
    const out = new Float32Array(bytes.length / size);
    for (let i = 0; i < out.length; i++) out[i] = get(i * size);
    return out;
  };
  const integers = (size: number, get: (at: number) => number): Int32Array => {
    const out = new Int32Array(bytes.length / size);
    for (let i = 0; i < out.length; i++) {
      const value = get(i * size);
      assert(
        value >= -(2 ** 31) && value < 2 ** 31,
        () =>
          `${label} has the ${dtype} ${value} at ${i}, which does not fit into the int32 of TensorFlow.js. ` +
          `Convert it to int32 in Python.`,
      );
      out[i] = value;
    }
    return out;
  };
  switch (dtype) {
    case 'float32':
      return floats(4, (at) => view.getFloat32(at, little));
    case 'float64':
      return floats(8, (at) => view.getFloat64(at, little));
    case 'float16':
      return floats(2, (at) => halfToFloat(view.getUint16(at, little)));
    case 'bfloat16':
      return brainToFloats(floats(2, (at) => view.getUint16(at, little)));
    case 'int8':
      return integers(1, (at) => view.getInt8(at));
    case 'int16':
      return integers(2, (at) => view.getInt16(at, little));
    case 'int32':
      return integers(4, (at) => view.getInt32(at, little));
    case 'int64':
      return integers(8, (at) => Number(view.getBigInt64(at, little)));
    case 'uint8':
      return integers(1, (at) => view.getUint8(at));
    case 'uint16':
      return integers(2, (at) => view.getUint16(at, little));
    case 'uint32':
      return integers(4, (at) => view.getUint32(at, little));
    case 'uint64':
      return integers(8, (at) => Number(view.getBigUint64(at, little)));
    default:
      throw new Error(
        `${label} has the type ${dtype}, which TensorFlow.js does not have. Cast it to float32 in Python.`,
      );
  }
}

/**
 * A 16-bit float (IEEE 754: 1 sign, 5 exponent, 10 fraction bits) as a number.
 *
 * @param bits Its bits.
 * @returns The number.
 */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Bits of bfloat16 → numbers, in place: they are the upper half of a float32. */
function brainToFloats(bits: Float32Array): Float32Array {
  const words = new Uint32Array(bits.buffer);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
  return bits;
}
