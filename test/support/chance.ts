/** Random sizes, choices and tensors from a seed, for tests that try many cases. */
import * as tf from '@tensorflow/tfjs';
import { normal, uniform } from '../../src/util/random.js';

/** Lengths at which loops over blocks, lanes and remainders end: ones, primes, powers of two and their neighbours. */
const LENGTHS = [1, 1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 15, 16, 17, 23, 31, 32, 33, 37, 47, 63, 64, 65, 97, 128, 131]; // prettier-ignore

/** A stream of choices; the same seed makes the same ones. */
export class Chance {
  private calls = 0;

  /** @param seed Integer from 0. */
  constructor(readonly seed: number) {}

  /** An integer from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(uniform(this.seed, this.calls++, 1)[0] * (most - least + 1));
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.whole(1, times) === 1;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)];
  }

  /** An interesting length of at most `most`; sometimes 0 where `zero` allows it. */
  length(most: number, zero = false): number {
    if (zero && this.once(25)) return 0;
    return this.pick(LENGTHS.filter((length) => length <= most));
  }

  /** A shape of that many axes with at most `most` elements. */
  shape(rank: number, most: number, zero = false): number[] {
    const shape: number[] = [];
    for (let left = most, axis = 0; axis < rank; axis++) {
      shape.push(this.length(left, zero));
      left = Math.floor(left / Math.max(1, shape[axis]));
    }
    // The longest axis is not always the first.
    for (let i = rank - 1; i > 0; i--) {
      const j = this.whole(0, i);
      [shape[i], shape[j]] = [shape[j], shape[i]];
    }
    return shape;
  }

  /** Normal numbers times `scale`, float32. */
  tensor(shape: number[], scale = 1): tf.Tensor {
    const values = normal(this.seed, this.calls++, tf.util.sizeFromShape(shape));
    return tf.tensor(
      values.map((value) => value * scale),
      shape,
    );
  }

  /** Integers from `least` to `most`. */
  integers(
    shape: number[],
    least: number,
    most: number,
    dtype: 'int32' | 'bool' = 'int32',
  ): tf.Tensor {
    const values = uniform(this.seed, this.calls++, tf.util.sizeFromShape(shape));
    return tf.tensor(
      Array.from(values, (value) => least + Math.floor(value * (most - least + 1))),
      shape,
      dtype,
    );
  }

  /** The shape with some of its axes, or of the first of them, made 1 or left out: what broadcasts to it. */
  broadcastable(shape: number[]): number[] {
    const some = shape.map((size) => (this.once(3) ? 1 : size));
    return this.once(4) ? some.slice(this.whole(0, shape.length)) : some;
  }
}
