/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011).
 *
 * A number depends only on (seed, call counter, flat index), never on which were drawn before it. So a kernel can
 * make the numbers of its own tile, a backward pass can make them again instead of keeping them, and a training run
 * resumes to the last bit from the counters alone.
 *
 *     key     = [seed mod 2³², ⌊seed / 2³²⌋]
 *     counter = [block mod 2³², ⌊block / 2³²⌋, call mod 2³², ⌊call / 2³²⌋]     block = ⌊index / 4⌋, lane = index mod 4
 *
 * This file is the reference; kernels must make the same bits.
 */
import { assert, assertInteger } from './errors.js';

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const TWO_32 = 4294967296;

/** High 32 bits of the product of two unsigned 32-bit integers, by 16-bit halves (doubles hold only 53 bits). */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16); // < 2³³: exact in a double
  const middle2 = aLow * bHigh + (middle % 0x10000);
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(middle2 / 0x10000);
}

/**
 * Fills an array with the raw 32-bit words of one call.
 *
 * @param seed Integer, 0 … 2⁵³−1.
 * @param call Number of the call, 0 … 2⁵³−1.
 * @param count How many words.
 * @returns Words 0 … count−1 of the call.
 */
export function philox(seed: number, call: number, count: number): Uint32Array {
  const words = new Uint32Array(count);
  const seedLow = (seed % TWO_32) | 0;
  const seedHigh = Math.floor(seed / TWO_32) | 0;
  const callLow = (call % TWO_32) | 0;
  const callHigh = Math.floor(call / TWO_32) | 0;
  for (let block = 0; block * 4 < count; block++) {
    let c0 = block | 0; // the reference stays below 2³² blocks: a typed array cannot be longer
    let c1 = 0;
    let c2 = callLow;
    let c3 = callHigh;
    let k0 = seedLow;
    let k1 = seedHigh;
    for (let round = 0; round < 10; round++) {
      const high0 = multiplyHigh(MULTIPLIER_0, c0 >>> 0) | 0;
      const high1 = multiplyHigh(MULTIPLIER_1, c2 >>> 0) | 0;
      const low0 = Math.imul(MULTIPLIER_0, c0);
      const low1 = Math.imul(MULTIPLIER_1, c2);
      c0 = high1 ^ c1 ^ k0;
      c1 = low1;
      c2 = high0 ^ c3 ^ k1;
      c3 = low0;
      k0 = (k0 + WEYL_0) | 0;
      k1 = (k1 + WEYL_1) | 0;
    }
    const at = block * 4;
    words[at] = c0;
    if (at + 1 < count) words[at + 1] = c1;
    if (at + 2 < count) words[at + 2] = c2;
    if (at + 3 < count) words[at + 3] = c3;
  }
  return words;
}

/**
 * Uniform numbers in [0, 1), multiples of 2⁻²⁴ (exact in float32).
 *
 * @param seed Integer, 0 … 2⁵³−1.
 * @param call Number of the call.
 * @param count How many numbers.
 * @returns (word >>> 8) · 2⁻²⁴ for each word of the call.
 */
export function uniform(seed: number, call: number, count: number): Float32Array {
  const words = philox(seed, call, count);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = (words[i] >>> 8) * 2 ** -24;
  return values;
}

/**
 * Numbers from the standard normal distribution, by Box and Muller's transform of pairs of words.
 *
 * @param seed Integer, 0 … 2⁵³−1.
 * @param call Number of the call.
 * @param count How many numbers.
 * @returns Normal numbers with mean 0 and variance 1.
 */
export function normal(seed: number, call: number, count: number): Float32Array {
  const words = philox(seed, call, count + (count % 2));
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log((words[i] + 1) / TWO_32)); // (0, 1]: the logarithm stays finite
    const angle = (2 * Math.PI * words[i + 1]) / TWO_32;
    values[i] = radius * Math.cos(angle);
    if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

/** Where a stream of random numbers stands: everything needed to go on from there. */
export interface RandomState {
  /** Integer, 0 … 2⁵³−1. */
  seed: number;
  /** Number of calls made so far. */
  counter: number;
}

/**
 * A stream of random calls: a seed, and a counter that goes up by one a call. Layers with dropout hold one each;
 * its state is part of a training checkpoint.
 */
export class RandomStream {
  private key: number;
  private calls = 0;

  /** @param seed Integer, 0 … 2⁵³−1; drawn from `Math.random` when it is not given. */
  constructor(seed?: number | null) {
    this.key =
      seed === undefined || seed === null
        ? Math.floor(Math.random() * TWO_32)
        : assertInteger('RandomStream', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  }

  /** Integer, 0 … 2⁵³−1. */
  get seed(): number {
    return this.key;
  }

  /** Number of calls made so far. */
  get counter(): number {
    return this.calls;
  }

  /** Sets the number of calls made so far, as a checkpoint recorded it. */
  set counter(value: number) {
    this.calls = assertInteger('RandomStream', 'counter', value, 0, Number.MAX_SAFE_INTEGER);
  }

  /** Goes on from a stored state, seed included: a seed that was drawn at random differs from process to process. */
  restore({ seed, counter }: RandomState): void {
    this.key = assertInteger('RandomStream', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    this.counter = counter;
  }

  /** Seed and counter of the next call; the counter goes up. */
  next(): RandomState {
    return { seed: this.seed, counter: this.calls++ };
  }
}

/** What operations take as a seed: a number (the same bits on every call), a place in a stream, or a stream. */
export type Seed = number | RandomState | RandomStream;

/** Where calls without a seed draw from. */
const unseeded = new RandomStream();

/**
 * The place in a random stream that one call of an operation uses.
 *
 * @param where Name of the operation, for the error.
 * @param seed A number means call 0 of that seed; a stream is advanced; undefined draws from an unseeded stream.
 * @returns Seed and counter of the call.
 */
export function drawSeed(where: string, seed: Seed | null | undefined): RandomState {
  if (seed === undefined || seed === null) return unseeded.next();
  if (seed instanceof RandomStream) return seed.next();
  const state = typeof seed === 'number' ? { seed, counter: 0 } : seed;
  assert(
    Number.isSafeInteger(state.seed) &&
      state.seed >= 0 &&
      Number.isSafeInteger(state.counter) &&
      state.counter >= 0,
    () =>
      `${where}: seed must be a non-negative integer, got seed=${state.seed}, counter=${state.counter}.`,
  );
  return state;
}
