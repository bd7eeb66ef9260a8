/**
 * Directional finite differences in float32, and the comparison with gradients from the tape.
 *
 * The function under test rounds at every step, so a difference quotient is never exact: large steps bend (error h²),
 * small ones drown in rounding (error ε/h). What is done about it:
 *
 * - outputs are summed on the host in float64, and the step is the one that float32 really took (x₊ − x₋), so that only
 *   the function's own rounding is left;
 * - steps from 0.064 down to 0.0001 of the tensor's size, halved each time, with Richardson extrapolation over them
 *   (Ridders, 1982); the table's own disagreement says how far its best value can be trusted;
 * - what is extrapolated is the difference quotient minus the tape's prediction, which should be 0: nothing large cancels.
 *
 * On smooth functions this settles to about 1e-4 of the gradient's size. At a kink (ReLU) it cannot: slopes to the left
 * and to the right stay apart as the step shrinks. A mismatch where that is seen is tried again a little beside, where
 * a kink is gone and a wrong gradient is still wrong.
 */
import { assert } from '../util/errors.js';
import { philox } from '../util/random.js';

const LEVELS = 10;
const FIRST_STEP = 0.064;
const EPSILON = 2 ** -23;
/** Rounding of a function, in ε of its output, that is still taken for rounding and not for a jump. */
const ROUNDING = 256;
/** Up to this many elements are tried one by one when a wrong place is looked for; larger ranges are halved first. */
const ELEMENTS = 32;
/** Where a kink is in the way, so many other points are tried, from 0.03 to 1 times the tensor's size away. */
const ATTEMPTS = 6;

/** A point in the space of one parameter, with what the function and the tape say there. */
export interface Point {
  /** Elements of the parameter. */
  values: Float32Array;
  /** The tape's gradient. */
  gradient: Float32Array;
  /** The function: Σ cotangent · output, summed in float64. */
  value: number;
  /** Size of what is summed, √Σ(cotangent · output)²: rounding is relative to it. */
  magnitude: number;
}

/** One tensor of a function to differentiate, all others fixed. */
export interface Parameter {
  /** Name for reports. */
  name: string;
  /** Shape of the tensor. */
  shape: number[];
  /** Where it is. */
  point: Point;
  /** The function with other elements. */
  evaluate: (values: Float32Array) => Promise<number>;
  /** Function and tape with other elements. */
  move: (values: Float32Array) => Promise<Point>;
}

/** How one tensor's gradient compares with finite differences. */
export interface GradientCheck {
  /** Name of the input or weight. */
  name: string;
  /** Its shape. */
  shape: number[];
  /** Finite difference along the direction that fitted worst. */
  directional: number;
  /** Tape gradient along the same direction. */
  tape: number;
  /**
   * |directional − tape| over the size of the gradient along such a direction; 0 where the gradient is too small to be
   * seen in the rounding of the outputs (uncertainty above 1).
   */
  relativeError: number;
  /** How far the finite difference itself can be trusted, on the same scale as relativeError. */
  uncertainty: number;
  /** Whether the gradient is right: relativeError ≤ tolerance + uncertainty. */
  passed: boolean;
  /** Where it is wrong: coordinates of the worst element found, the tape's gradient and the finite difference there. */
  worst?: { index: number[]; tape: number; finiteDifference: number };
  /** Why no finite difference could be had, where the function jumps or gives no finite numbers. */
  inconclusive?: string;
}

/** Tape minus truth along one direction: 0 when the gradient is right. */
interface Mismatch {
  value: number;
  /** How far `value` can be trusted. */
  uncertainty: number;
  /** The part of it that rounding explains. */
  rounding: number;
  /** How far the slopes to both sides stay apart. */
  kink: number;
}

/** How a parameter is checked. */
export interface CheckSettings {
  /** Largest relative error that passes. */
  tolerance: number;
  /** Number of directions. */
  directions: number;
  /** Seed of the random ones. */
  seed: number;
}

/**
 * Compares the gradient of one parameter with finite differences, along the gradient itself (which shows a wrong
 * factor or sign at its largest) and along random directions of ±1 (which show what the gradient misses).
 *
 * @param parameter The tensor.
 * @param which Its number among all, so that each gets random numbers of its own.
 * @param settings Tolerance, number of directions, seed.
 * @returns The comparison along the worst direction; never throws for a wrong gradient.
 */
export async function checkParameter(
  parameter: Parameter,
  which: number,
  settings: CheckSettings,
): Promise<GradientCheck> {
  const { name, shape, point } = parameter;
  const size = point.values.length;
  const sound = { directional: 0, tape: 0, relativeError: 0, uncertainty: 0, passed: true };
  let result: GradientCheck = { name, shape, ...sound };
  if (size === 0) return result;

  const bad = point.gradient.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const { value } = await mismatch(parameter, point, unit(size, bad), 0);
    const worst = {
      index: coordinates(bad, shape),
      tape: point.gradient[bad],
      finiteDifference: value,
    };
    return { ...result, relativeError: Infinity, passed: false, worst };
  }
  for (let d = 0; d < settings.directions; d++) {
    const call = which * settings.directions + d;
    const found = await checkDirection(parameter, d === 0, call, settings);
    const worse = found.passed
      ? result.passed
      : result.passed || found.relativeError > result.relativeError;
    if (worse && (!found.passed || found.relativeError >= result.relativeError)) result = found;
  }
  return result;
}

/** One direction, at the point given and, where a kink is in the way, at points beside it. */
async function checkDirection(
  parameter: Parameter,
  along: boolean,
  call: number,
  { tolerance, seed }: CheckSettings,
): Promise<GradientCheck> {
  let { point } = parameter;
  const size = point.values.length;
  for (let attempt = 0; ; attempt++) {
    const norm = Math.sqrt(dot(point.gradient, point.gradient));
    const direction =
      along && norm > 0 ? alongGradient(point.gradient) : randomSigns(seed, call, size);
    const tape = dot(point.gradient, direction);
    const length = Math.max(norm, Math.abs(tape));
    const found = await mismatch(parameter, point, direction, tolerance * length);
    const scale = Math.max(length, Math.abs(tape + found.value));
    const relativeError = scale === 0 ? 0 : Math.abs(found.value) / scale;
    const uncertainty = scale === 0 ? 0 : found.uncertainty / scale;
    const lost = uncertainty > 0.1 && found.uncertainty <= ROUNDING * found.rounding;
    const settled = Number.isFinite(found.value) && (uncertainty <= 0.1 || lost);
    // Where rounding is all there is (the gradient of a key's bias is exactly 0), the smallest of several spreads was
    // picked, so it understates the noise: such a value passes within four of them.
    const passed = settled && relativeError <= tolerance + (lost ? 4 : 1) * uncertainty;
    const kinked = found.kink > Math.abs(found.value) / 50;
    if (!passed && attempt < ATTEMPTS && (kinked || !settled)) {
      const offset = randomSigns(seed, 2 ** 42 + ATTEMPTS * call + attempt, size);
      const { values } = parameter.point;
      const distance = 0.03 * 2 ** attempt * sizeOf(values); // farther each time: kinks may lie close together
      point = await parameter.move(values.map((x, i) => x + distance * offset[i]));
      continue;
    }
    const check: GradientCheck = {
      name: parameter.name,
      shape: parameter.shape,
      ...{ directional: tape + found.value, tape, uncertainty, passed },
      relativeError: passed && lost ? 0 : relativeError, // lost in rounding: a ratio would say nothing
    };
    if (!settled) check.inconclusive = UNSETTLED;
    else if (!passed) check.worst = await locate(parameter, point, direction, tolerance);
    return check;
  }
}

const UNSETTLED =
  'the difference quotients do not settle: the function jumps there, is not finite, or is too noisy';

/** Difference quotient minus tape along a direction (elements at most 1), stopping early once below `enough`. */
async function mismatch(
  { evaluate }: Parameter,
  { values, gradient, value: centre, magnitude }: Point,
  direction: Float32Array,
  enough: number,
): Promise<Mismatch> {
  let best: Mismatch = { value: NaN, uncertainty: Infinity, rounding: 0, kink: 0 };
  let above: number[] = []; // the row of the table above this one
  const bends: { bend: number; rounding: number }[] = []; // half the slope to the right minus the slope to the left
  for (let level = 0; level < LEVELS; level++) {
    const step = (FIRST_STEP * sizeOf(values)) / 2 ** level;
    const plus = values.map((x, i) => x + step * direction[i]);
    const minus = values.map((x, i) => x - step * direction[i]);
    let predicted = 0;
    for (let i = 0; i < values.length; i++) {
      predicted += (plus[i] - minus[i]) * (Number.isFinite(gradient[i]) ? gradient[i] : 0);
    }
    const right = await evaluate(plus);
    const left = await evaluate(minus);
    const quotient = (right - left - predicted) / (2 * step);
    if (!Number.isFinite(quotient)) {
      above = []; // for example a logarithm that the larger steps took below 0
      continue;
    }
    const rounding = (EPSILON * magnitude) / step;
    bends.push({ bend: (right - 2 * centre + left) / (2 * step), rounding });
    const row = [quotient];
    above.forEach((value, j) => row.push((4 ** (j + 1) * row[j] - value) / (4 ** (j + 1) - 1)));
    for (let j = 0; above.length > 0 && j < row.length; j++) {
      const spread = Math.max(
        Math.abs(row[j] - above[Math.max(j - 1, 0)]),
        Math.abs(row[j] - row[Math.max(j - 1, 0)]),
      );
      const found = { value: row[j], uncertainty: Math.max(spread, rounding), rounding, kink: 0 };
      if (Math.abs(found.value) <= enough && found.uncertainty <= enough) return found;
      if (found.uncertainty < best.uncertainty) best = found;
    }
    above = row;
  }
  return { ...best, kink: kinkOf(bends) };
}

/**
 * Smooth functions bend half as much over half the step: what is seen beyond that, and beyond rounding, is a kink, be
 * it inside all steps or only inside the larger ones. Steps come in pairs, the smaller one second.
 */
function kinkOf(bends: { bend: number; rounding: number }[]): number {
  let most = 0;
  for (let level = 1; level < bends.length; level++) {
    const { bend, rounding } = bends[level];
    most = Math.max(most, Math.abs(2 * bend - bends[level - 1].bend) - 4 * rounding);
  }
  return most;
}

/** Finds a wrong element: the half of a range that fits worse, again and again, then element by element. */
async function locate(
  parameter: Parameter,
  point: Point,
  direction: Float32Array,
  tolerance: number,
): Promise<GradientCheck['worst']> {
  const { gradient } = point;
  const within = (begin: number, end: number): Promise<Mismatch> => {
    const part = direction.map((value, i) => (i >= begin && i < end ? value : 0));
    return mismatch(parameter, point, part, 0);
  };
  let begin = 0;
  let end = direction.length;
  while (end - begin > ELEMENTS) {
    const middle = (begin + end) >> 1;
    const left = Math.abs((await within(begin, middle)).value);
    const right = Math.abs((await within(middle, end)).value);
    if (left >= right) end = middle;
    else begin = middle;
  }
  let worst = { index: begin, value: 0 };
  for (let i = begin; i < end; i++) {
    const enough = tolerance * Math.abs(gradient[i]);
    const { value } = await mismatch(parameter, point, unit(direction.length, i), enough);
    if (Math.abs(value) > Math.abs(worst.value)) worst = { index: i, value };
  }
  const tape = gradient[worst.index];
  return {
    index: coordinates(worst.index, parameter.shape),
    tape,
    finiteDifference: tape + worst.value,
  };
}

/**
 * The sentence that says what is wrong with a gradient.
 *
 * @param check One comparison that has not passed.
 * @returns Name, place, both numbers.
 */
export function explain(check: GradientCheck): string {
  const { name, worst, inconclusive, relativeError, uncertainty } = check;
  if (inconclusive !== undefined)
    return `the gradient of '${name}' cannot be checked: ${inconclusive}.`;
  const place = worst === undefined ? '' : `, worst found at [${worst.index.join(',')}]`;
  const numbers =
    worst === undefined
      ? ''
      : `: tape=${worst.tape.toPrecision(5)}, finite difference=${worst.finiteDifference.toPrecision(5)}`;
  return (
    `the gradient of '${name}' is wrong${place}${numbers} ` +
    `(relative error ${relativeError.toPrecision(3)} along one direction, ±${uncertainty.toPrecision(2)}).`
  );
}

/**
 * Inner product in float64.
 *
 * @param a Numbers.
 * @param b As many numbers.
 * @returns Σ a·b.
 */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/**
 * Coordinates of an element.
 *
 * @param flat Its place in row-major order.
 * @param shape Shape of the tensor.
 * @returns One number an axis.
 */
export function coordinates(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = flat;
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

/** Root mean square of the elements; weights that start at 0 move too. */
function sizeOf(values: Float32Array): number {
  return Math.max(Math.sqrt(dot(values, values) / values.length), 0.05);
}

function alongGradient(gradient: Float32Array): Float32Array {
  const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return gradient.map((value) => value / largest);
}

function randomSigns(seed: number, call: number, count: number): Float32Array {
  return Float32Array.from(philox(seed, call, count), (word) => (word & 1 ? 1 : -1));
}

function unit(count: number, at: number): Float32Array {
  assert(at < count, () => `unit: index must be below ${count}, got at=${at}.`);
  const direction = new Float32Array(count);
  direction[at] = 1;
  return direction;
}
