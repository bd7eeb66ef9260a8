/** Examples to batches: numbers become [B], sequences [B,T] filled up to the longest, arrays with a shape [B,…shape]. */
import { assert, assertInteger, describe } from '../util/errors.js';
import { sizeOf } from '../util/shapes.js';
import type { Batch, HostArray } from './dataset.js';

/** What one input or label of one example can be: a number, a sequence, or an array with a shape. */
export type Value = number | ArrayLike<number> | HostArray;

/** One example: inputs by the names of the model's inputs, and what the model should say to them. */
export interface Example {
  /** By name. */
  inputs: Record<string, Value>;
  /** A class, a label for every position, or targets. */
  labels: Value;
}

/** How examples become batches. */
export interface CollateOptions {
  /** Inputs to add, by name: each marks with true where the named input is real, `{paddingMask: 'tokenIds'}`; none. */
  masks?: Record<string, string>;
  /** What short sequences are filled up with, by input; 0. */
  padding?: Record<string, number>;
  /** Length to fill sequences up to, by input or `labels`; the longest of the batch unless given. */
  padTo?: Record<string, number>;
  /** Types, by input or `labels`; a Float32Array is float32, an array with a shape has its own, all else int32. */
  dtypes?: Record<string, HostArray['dtype']>;
  /** Label that short sequences of labels are filled up with, and that does not count; −100. */
  ignoreIndex?: number;
}

/** Names of `CollateOptions`. */
export const COLLATE_OPTIONS = ['masks', 'padding', 'padTo', 'dtypes', 'ignoreIndex'] as const;

const ARRAYS = { int32: Int32Array, float32: Float32Array, bool: Uint8Array } as const;

/**
 * Makes a batch of examples.
 *
 * @param where Name of the function that was called, for errors.
 * @param examples At least one; all with the same inputs.
 * @param options See `CollateOptions`.
 * @returns The batch.
 * @throws Error naming the input that is missing, or whose values have no common shape.
 */
export function collate(
  where: string,
  examples: readonly Example[],
  options: CollateOptions = {},
): Batch {
  const { masks = {}, padding = {}, ignoreIndex = -100 } = options;
  const inputs: Record<string, HostArray> = {};
  for (const example of examples) {
    assert(
      typeof example?.inputs === 'object' && example.inputs !== null && 'labels' in example,
      () => `${where}: an example must be {inputs, labels}, got ${describe(example)}.`,
    );
  }
  const names = Object.keys(examples[0].inputs);
  for (const name of names) {
    const values = examples.map((example) => valueOf(where, name, example.inputs[name]));
    inputs[name] = stack(where, name, values, padding[name] ?? 0, options);
  }
  for (const [mask, name] of Object.entries(masks)) {
    assert(
      name in inputs && inputs[name].shape.length === 2,
      () =>
        `${where}: masks must name sequences among the inputs ${names.join(', ')}, got ${mask}=${describe(name)}.`,
    );
    inputs[mask] = maskOf(
      examples.map((example) => lengthOf(example.inputs[name])),
      inputs[name].shape,
    );
  }
  const labels = examples.map((example) => valueOf(where, 'labels', example.labels));
  return { inputs, labels: stack(where, 'labels', labels, ignoreIndex, options) };
}

/**
 * Length of a value.
 *
 * @param value A number, a sequence, or an array with a shape.
 * @returns Entries of a sequence; 0 for a number, the first size of an array with a shape.
 */
export function lengthOf(value: Value | undefined): number {
  if (value === undefined || typeof value === 'number') return 0;
  return isHostArray(value) ? (value.shape[0] ?? 0) : value.length;
}

function valueOf(where: string, name: string, value: Value | undefined): Value {
  assert(
    typeof value === 'number' ||
      (typeof value === 'object' && value !== null && ('length' in value || isHostArray(value))),
    () =>
      `${where}: every example must have '${name}' as a number, an array of numbers or {values, shape, dtype}, ` +
      `got ${describe(value)}.`,
  );
  return value;
}

function stack(
  where: string,
  name: string,
  values: readonly Value[],
  filler: number,
  { padTo = {}, dtypes = {} }: CollateOptions,
): HostArray {
  const [first] = values;
  const dtype = dtypes[name] ?? dtypeOf(first);
  const kind = kindOf(first);
  const odd = values.find((value) => kindOf(value) !== kind);
  assert(
    odd === undefined,
    () =>
      `${where}: '${name}' must have the same form in all examples of a batch, got ${kind} and ${kindOf(odd!)}.`,
  );
  const longest = Math.max(...values.map(lengthOf));
  const length = padTo[name] ?? longest;
  assertInteger(where, `padTo.${name}`, length, 0);
  assert(
    longest <= length || kind !== 'a sequence',
    () =>
      `${where}: '${name}' must have at most padTo.${name}=${length} entries, got ${longest}. Cut it, or give more.`,
  );
  const own = isHostArray(first) ? first.shape : typeof first === 'number' ? [] : [length];
  const size = sizeOf(own);
  const data = new ARRAYS[dtype](values.length * size).fill(filler);
  values.forEach((value, b) => {
    const entries = typeof value === 'number' ? [value] : isHostArray(value) ? value.values : value;
    for (let i = 0; i < entries.length; i++) {
      assert(
        dtype === 'float32' ? typeof entries[i] === 'number' : Number.isInteger(entries[i]),
        () =>
          `${where}: '${name}' must hold ${dtype === 'float32' ? 'numbers' : 'whole numbers'}, got ` +
          `${describe(entries[i])}. For fractions give dtypes: {${name}: 'float32'}.`,
      );
      data[b * size + i] = entries[i];
    }
  });
  return { values: data, shape: [values.length, ...own], dtype };
}

function maskOf(lengths: readonly number[], shape: number[]): HostArray {
  const [B, T] = shape;
  const values = new Uint8Array(B * T);
  lengths.forEach((length, b) => values.fill(1, b * T, b * T + length));
  return { values, shape: [B, T], dtype: 'bool' };
}

function dtypeOf(value: Value): HostArray['dtype'] {
  if (isHostArray(value)) return value.dtype;
  return value instanceof Float32Array ? 'float32' : 'int32';
}

function kindOf(value: Value): string {
  if (typeof value === 'number') return 'a number';
  return isHostArray(value) ? `an array of shape [${value.shape.join()}]` : 'a sequence';
}

function isHostArray(value: Value): value is HostArray {
  return typeof value === 'object' && 'shape' in value;
}
