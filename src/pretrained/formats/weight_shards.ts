/** The weights of a `model.json`: a manifest, and files that hold them one after the other. */
import { assert, describe } from '../../util/errors.js';
import { convertElements, halfToFloat, tensorTypeOf, type Elements } from './elements.js';
import { isObject } from './json.js';

/** How a weight was made smaller by the converter. */
export interface Quantization {
  /** What it is stored as. */
  readonly dtype: 'uint8' | 'uint16' | 'float16';
  /** value = stored · scale + min, for integers. */
  readonly scale: number;
  /** The smallest value. */
  readonly min: number;
}

/** A weight of a manifest. */
export interface ManifestWeight {
  /** Its name. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** What it is: 'float32', 'int32', 'bool', 'string' or 'complex64'. */
  readonly dtype: string;
  /** How it is packed, if it is. */
  readonly quantization?: Quantization;
}

/** Weights that lie one after the other in some files. */
export interface ManifestGroup {
  /** Paths of the files, relative to the `model.json`. */
  readonly paths: readonly string[];
  /** The weights. */
  readonly weights: readonly ManifestWeight[];
}

const BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  complex64: 8,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

/**
 * Checks a manifest.
 *
 * @param label First words of every error.
 * @param manifest What `weightsManifest` holds.
 * @returns Its groups.
 * @throws Error naming what is wrong.
 */
export function parseManifest(label: string, manifest: unknown): ManifestGroup[] {
  const refuse = (rule: string): never => {
    throw new Error(`${label}: ${rule}. Convert the model again.`);
  };
  if (!Array.isArray(manifest)) return refuse('weightsManifest must be a list');
  return manifest.map((group: unknown, i) => {
    const { paths, weights } = isObject(group) ? group : {};
    if (!Array.isArray(paths) || !paths.every((path) => typeof path === 'string')) {
      return refuse(`group ${i} of weightsManifest must have paths`);
    }
    if (!Array.isArray(weights)) return refuse(`group ${i} of weightsManifest must have weights`);
    return { paths, weights: weights.map((weight) => parseWeight(refuse, weight)) };
  });
}

/**
 * Checks specifications of weights.
 *
 * @param label First words of every error.
 * @param specs What a handler of TensorFlow.js hands over as `weightSpecs`.
 * @returns The weights.
 */
export function parseWeightSpecs(label: string, specs: readonly unknown[]): ManifestWeight[] {
  return parseManifest(label, [{ paths: [], weights: specs }])[0].weights as ManifestWeight[];
}

function parseWeight(refuse: (rule: string) => never, weight: unknown): ManifestWeight {
  const { name, shape, dtype, quantization } = isObject(weight) ? weight : {};
  if (typeof name !== 'string') return refuse('every weight must have a name');
  const dims = Array.isArray(shape)
    ? (shape as unknown[])
    : refuse(`weight '${name}' has no shape`);
  if (
    !dims.every((size) => Number.isSafeInteger(size) && (size as number) >= 0) ||
    dims.length > 32
  ) {
    return refuse(`weight '${name}' must have a shape of sizes, got shape=${describe(shape)}`);
  }
  const known = ['float32', 'int32', 'bool', 'string', 'complex64'];
  if (typeof dtype !== 'string' || !known.includes(dtype)) {
    return refuse(
      `weight '${name}' must have a dtype of ${known.join(', ')}, got ${describe(dtype)}`,
    );
  }
  const plain = { name, shape: dims as number[], dtype };
  if (quantization === undefined) return plain;
  const { dtype: stored, scale = 1, min = 0 } = isObject(quantization) ? quantization : {};
  const right =
    (stored === 'uint8' || stored === 'uint16' || stored === 'float16') &&
    Number.isFinite(scale) &&
    Number.isFinite(min) &&
    (dtype === 'float32' || (dtype === 'int32' && stored !== 'float16'));
  if (!right)
    return refuse(`weight '${name}' has an unknown quantization ${describe(quantization)}`);
  return { ...plain, quantization: { dtype: stored, scale: scale as number, min: min as number } };
}

/** Bytes in pieces, as if they were one. */
export class Pieces {
  /** How many there are. */
  readonly length: number;
  private readonly starts: number[] = [];

  /** @param pieces The pieces. */
  constructor(private readonly pieces: readonly Uint8Array[]) {
    let length = 0;
    for (const piece of pieces) {
      this.starts.push(length);
      length += piece.length;
    }
    this.length = length;
  }

  /** A part: a view where it lies in one piece, else a copy. It must be within. */
  slice(at: number, length: number): Uint8Array {
    let p = this.starts.length - 1;
    while (p > 0 && this.starts[p] > at) p--;
    const from = at - (this.starts[p] ?? 0);
    if (this.pieces.length > 0 && from + length <= this.pieces[p].length) {
      return this.pieces[p].subarray(from, from + length);
    }
    const out = new Uint8Array(length);
    for (let done = 0; done < length; p++) {
      const start = Math.max(0, at + done - this.starts[p]);
      const part = this.pieces[p].subarray(start, start + length - done);
      out.set(part, done);
      done += part.length;
    }
    return out;
  }
}

/** Where a weight lies. */
export interface PlacedWeight {
  /** The weight. */
  readonly weight: ManifestWeight;
  /** Number of its first byte. */
  readonly at: number;
  /** How many bytes it has. */
  readonly length: number;
}

/**
 * Finds each weight of a group, and checks that there are as many bytes as they have.
 *
 * @param label First words of every error.
 * @param weights The weights, in order.
 * @param data The bytes.
 * @returns Their places.
 * @throws Error when bytes are missing or left over.
 */
export function placeWeights(
  label: string,
  weights: readonly ManifestWeight[],
  data: Pieces,
): PlacedWeight[] {
  let at = 0;
  const missing = (name: string, needed: number): Error =>
    new Error(
      `${label}: the weights up to '${name}' have ${needed} bytes, got ${data.length}. A file is cut off or missing: ` +
        `copy the model's files again.`,
    );
  const placed = weights.map((weight) => {
    const count = weight.shape.reduce((product, size) => product * size, 1);
    const from = at;
    if (weight.dtype === 'string') {
      // Each text comes after its length.
      for (let i = 0; i < count; i++) {
        if (at + 4 > data.length) throw missing(weight.name, at + 4);
        const [a, b, c, d] = data.slice(at, 4);
        at += 4 + (a | (b << 8) | (c << 16)) + d * 2 ** 24;
      }
    } else at += count * BYTES[weight.quantization?.dtype ?? weight.dtype];
    if (at > data.length) throw missing(weight.name, at);
    return { weight, at: from, length: at - from };
  });
  assert(
    at === data.length,
    () => `${label}: the weights have ${at} bytes, got ${data.length}. Convert the model again.`,
  );
  return placed;
}

/**
 * What TensorFlow.js makes of a weight.
 *
 * @param weight The weight.
 * @returns Its type, or null for texts and complex numbers.
 */
export function manifestTensorType(weight: ManifestWeight): 'float32' | 'int32' | 'bool' | null {
  return tensorTypeOf(weight.dtype);
}

/**
 * The elements of a weight.
 *
 * @param label First words of the error.
 * @param weight The weight.
 * @param bytes Its bytes.
 * @returns The elements.
 */
export function decodeWeight(label: string, weight: ManifestWeight, bytes: Uint8Array): Elements {
  const { dtype, quantization } = weight;
  if (!quantization) return convertElements(`${label}: weight '${weight.name}'`, dtype, bytes);
  const { dtype: stored, scale, min } = quantization;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = BYTES[stored];
  const count = bytes.length / size;
  const out = dtype === 'int32' ? new Int32Array(count) : new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const word = size === 1 ? view.getUint8(i) : view.getUint16(2 * i, true);
    if (stored === 'float16') out[i] = halfToFloat(word);
    else out[i] = dtype === 'int32' ? Math.round(word * scale + min) : word * scale + min;
  }
  return out;
}
