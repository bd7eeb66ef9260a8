/** What is to be drawn: a mask or an attention map, read to the host, with its labels and its scale. */
import * as tf from '@tensorflow/tfjs-core';
import { assert, assertInteger, assertNumber, describe } from '../util/errors.js';
import { shapeText, sizeOf } from '../util/shapes.js';
import { visible } from './labels.js';

/** Numbers or booleans in nested arrays, at most four deep. */
export type NestedValues = readonly (number | boolean | NestedValues)[];

/** What can be drawn: a tensor or nested arrays of shape [T, S], [B, T, S] or [B, N, T, S]. */
export type HeatMapValues = tf.Tensor | NestedValues;

/** Options of {@link text} and {@link svg} alike. */
export interface HeatMapOptions {
  /**
   * `mask`: every nonzero value may attend; `scores`: numbers on a scale. By default a mask for bool and int32
   * tensors and arrays of booleans, scores for the rest.
   */
  kind?: 'mask' | 'scores';
  /** T labels of the rows; their indices by default. */
  queryLabels?: readonly string[];
  /** S labels of the columns; their indices by default. */
  keyLabels?: readonly string[];
  /** Line above the map. None by default. */
  title?: string;
  /** Which one of a batch B, 0 by default. */
  batch?: number;
  /** Which one of N heads, 0 by default. */
  head?: number;
  /** Low end of the scale of scores: by default 0, or the least value when that is negative. */
  min?: number;
  /** High end of the scale of scores: by default the largest value. */
  max?: number;
  /** Whether the legend is drawn below, true by default. */
  legend?: boolean;
}

/** Names of the options in {@link HeatMapOptions}. */
export const GRID_OPTIONS = [
  'kind',
  'queryLabels',
  'keyLabels',
  'title',
  'batch',
  'head',
  'min',
  'max',
  'legend',
] as const;

/** A heat map on the host. */
export interface Grid {
  /** Whether cells are true or false, or numbers on a scale. */
  kind: 'mask' | 'scores';
  /** Printable title; empty for none. */
  title: string;
  /** Whether the scale is to be drawn. */
  legend: boolean;
  /** T, number of queries. */
  rows: number;
  /** S, number of keys. */
  columns: number;
  /** Printable labels of the queries. */
  rowLabels: string[];
  /** Printable labels of the keys. */
  columnLabels: string[];
  /** Where the scale starts. */
  min: number;
  /** Where the scale ends. */
  max: number;
  /** Whether any value is NaN. */
  hasNaN: boolean;
  /** The value in a cell. */
  at: (row: number, column: number) => number;
  /** The value in a cell on the scale, 0 … 1; NaN stays NaN; for a mask 0 or 1. */
  fraction: (row: number, column: number) => number;
}

/**
 * Reads values and options.
 *
 * As everywhere with masks, an axis of size 1 stands for every index: a padding mask [B, 1, 1, S] is drawn with as
 * many rows as there are `queryLabels`, and any `head` may be asked for.
 *
 * @param where Name of the caller, for errors.
 * @param values Tensor or nested arrays.
 * @param options What the caller got.
 * @returns The grid.
 */
export async function readGrid(
  where: string,
  values: HeatMapValues,
  options: HeatMapOptions,
): Promise<Grid> {
  const { title = '', batch, head, legend = true } = options;
  const shape = shapeOf(where, values);
  assert(
    shape.length >= 2 && shape.length <= 4 && sizeOf(shape) > 0,
    () =>
      `${where}: values must have shape [T,S], [B,T,S] or [B,N,T,S] and not be empty, got shape ${shapeText(shape)}.`,
  );
  const [T, S] = shape.slice(-2);
  const start = [
    ...(shape.length >= 3 ? [pick(where, 'batch', batch, shape[0], shape)] : []),
    ...(shape.length === 4 ? [pick(where, 'head', head, shape[1], shape)] : []),
  ];
  if (shape.length < 3) refuseIndex(where, 'batch', batch, shape);
  if (shape.length < 4) refuseIndex(where, 'head', head, shape);
  const { data, isMask } =
    values instanceof tf.Tensor
      ? await readTensor(values, start, T * S)
      : readNested(values, start);

  const kind = options.kind ?? (isMask ? 'mask' : 'scores');
  assert(
    kind === 'mask' || kind === 'scores',
    () => `${where}: kind must be 'mask' or 'scores', got kind=${describe(kind)}.`,
  );
  const rowLabels = labels(where, 'queryLabels', options.queryLabels, T, 'rows');
  const columnLabels = labels(where, 'keyLabels', options.keyLabels, S, 'columns');
  const at = (row: number, column: number): number =>
    data[(T === 1 ? 0 : row) * S + (S === 1 ? 0 : column)];
  const { min, max } = kind === 'mask' ? { min: 0, max: 1 } : scale(where, data, options);
  return {
    kind,
    title: visible(title),
    legend,
    rows: rowLabels.length,
    columns: columnLabels.length,
    rowLabels,
    columnLabels,
    min,
    max,
    hasNaN: Array.prototype.some.call(data, Number.isNaN),
    at,
    fraction: (row, column) => {
      const value = at(row, column);
      if (Number.isNaN(value)) return NaN;
      if (kind === 'mask') return value === 0 ? 0 : 1;
      if (value <= min) return min === max && value !== 0 ? 1 : 0;
      return value >= max ? 1 : (value - min) / (max - min);
    },
  };
}

/**
 * A number as a legend shows it.
 *
 * @param value Any number.
 * @returns At most three significant digits.
 */
export function formatValue(value: number): string {
  const short = Number(value.toPrecision(3));
  return Math.abs(short) >= 1e5 ? short.toExponential() : String(short);
}

function shapeOf(where: string, values: HeatMapValues): number[] {
  if (values instanceof tf.Tensor) return values.shape;
  assert(
    Array.isArray(values),
    () => `${where}: values must be a tensor or nested arrays, got values=${describe(values)}.`,
  );
  const shape: number[] = [];
  let level: unknown = values;
  while (Array.isArray(level)) {
    shape.push(level.length);
    level = level[0];
  }
  const regular = (part: unknown, depth: number): boolean =>
    depth === shape.length
      ? typeof part === 'number' || typeof part === 'boolean'
      : Array.isArray(part) &&
        part.length === shape[depth] &&
        part.every((inner) => regular(inner, depth + 1));
  assert(
    sizeOf(shape) === 0 || regular(values, 0),
    () =>
      `${where}: nested arrays must hold numbers or booleans and have rows of one length, got values=${describe(values)}.`,
  );
  return shape;
}

function pick(
  where: string,
  name: 'batch' | 'head',
  index: number | undefined,
  size: number,
  shape: number[],
): number {
  if (index === undefined || size === 1) {
    return index === undefined ? 0 : assertInteger(where, name, index, 0) * 0;
  }
  assert(
    Number.isInteger(index) && index >= 0 && index < size,
    () =>
      `${where}: ${name} must be an integer between 0 and ${size - 1} for shape ${shapeText(shape)}, ` +
      `got ${name}=${describe(index)}.`,
  );
  return index;
}

function refuseIndex(where: string, name: string, index: unknown, shape: number[]): void {
  assert(
    index === undefined,
    () =>
      `${where}: values of shape ${shapeText(shape)} have no ${name} axis, got ${name}=${describe(index)}.`,
  );
}

interface Data {
  data: ArrayLike<number>;
  isMask: boolean;
}

/** Only the part that is drawn comes to the host; asynchronously, because a GPU has no other way. */
async function readTensor(values: tf.Tensor, start: number[], size: number): Promise<Data> {
  const isMask = values.dtype === 'bool' || values.dtype === 'int32';
  if (values.size === size) return { data: await values.data(), isMask };
  const [T, S] = values.shape.slice(-2);
  const part = tf.slice(values, [...start, 0, 0], [...start.map(() => 1), T, S]);
  try {
    return { data: await part.data(), isMask };
  } finally {
    part.dispose();
  }
}

function readNested(values: NestedValues, start: number[]): Data {
  let part: NestedValues = values;
  for (const index of start) part = part[index] as NestedValues;
  const flat = (part as (number | boolean)[][]).flat();
  return { data: flat.map(Number), isMask: flat.every((value) => typeof value === 'boolean') };
}

function labels(
  where: string,
  name: string,
  given: readonly string[] | undefined,
  size: number,
  what: string,
): string[] {
  if (given === undefined) return Array.from({ length: size }, (_, i) => String(i));
  assert(
    Array.isArray(given) && given.every((label) => typeof label === 'string'),
    () => `${where}: ${name} must be an array of strings, got ${name}=${describe(given)}.`,
  );
  assert(
    given.length === size || (size === 1 && given.length > 0),
    () =>
      `${where}: ${name} must have one label for each of the ${size} ${what}, got ${given.length} labels.`,
  );
  return given.map(visible);
}

function scale(
  where: string,
  data: ArrayLike<number>,
  options: HeatMapOptions,
): { min: number; max: number } {
  let least = Infinity;
  let largest = -Infinity;
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) continue;
    least = Math.min(least, data[i]);
    largest = Math.max(largest, data[i]);
  }
  if (least > largest) least = largest = 0; // nothing finite
  const min =
    options.min === undefined ? Math.min(0, least) : assertNumber(where, 'min', options.min);
  const max =
    options.max === undefined ? Math.max(min, largest) : assertNumber(where, 'max', options.max);
  assert(max >= min, () => `${where}: max must not be below min, got min=${min}, max=${max}.`);
  return { min, max };
}
