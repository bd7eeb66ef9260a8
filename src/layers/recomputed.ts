/**
 * Gradient checkpointing: what a part of a model computes is forgotten and computed again for the gradients.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { RandomStream } from '../util/random.js';

/** Tensors by name; those that were not given are undefined. */
export type NamedTensors = Record<string, tf.Tensor | undefined>;

/**
 * Computes something whose intermediate results are not kept for the gradients (Chen et al., "Training Deep Nets with
 * Sublinear Memory Cost", 2016). The backward pass computes it again, from the same random numbers, so outputs and
 * gradients have the same bits as without.
 *
 * @param groups What is computed from; the float32 tensors get gradients.
 * @param variables Weights that `compute` reads and that get gradients.
 * @param streams Random streams that `compute` draws from.
 * @param compute Synchronous function of the groups with one result.
 * @returns What `compute` returns.
 */
export function recomputed(
  groups: readonly NamedTensors[],
  variables: tf.Variable[],
  streams: readonly RandomStream[],
  compute: (groups: NamedTensors[]) => tf.Tensor,
): tf.Tensor {
  const given = groups.flatMap((group, i) =>
    Object.entries(group).flatMap(([name, tensor]) => (tensor ? [{ i, name, tensor }] : [])),
  );
  const all = given.map(({ tensor }) => tensor);
  const smooth = given.flatMap(({ tensor }, at) => (tensor.dtype === 'float32' ? [at] : []));
  const before = streams.map(({ counter }) => counter);
  const run = tf.customGrad((...args) => {
    const save = args[args.length - 1] as unknown as tf.GradSaveFunc;
    save(all);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
      const again = groups.map((): NamedTensors => ({}));
      given.forEach(({ i, name }, at) => (again[i][name] = saved[at]));
      const places = [...smooth.map((at) => saved[at]), ...variables];
      return gradientsInside(places, dy, () => rewound(streams, before, () => compute(again)));
    };
    return { value: compute([...groups]), gradFunc };
  });
  return run(...smooth.map((at) => all[at]), ...variables);
}

/** Runs something with random streams as they were, and puts them back. */
function rewound<T>(streams: readonly RandomStream[], counters: number[], body: () => T): T {
  const now = streams.map(({ counter }) => counter);
  streams.forEach((stream, i) => (stream.counter = counters[i]));
  try {
    return body();
  } finally {
    streams.forEach((stream, i) => (stream.counter = now[i]));
  }
}

/**
 * Gradients within a backward pass. The engine keeps one tape, that of the pass that is going on, and throws it away
 * at the end of any computation of gradients: it is set aside meanwhile.
 */
function gradientsInside(places: tf.Tensor[], dy: tf.Tensor, body: () => tf.Tensor): tf.Tensor[] {
  const engine = tf.engine();
  const tape = engine.state.activeTape;
  try {
    const { value, grads } = engine.gradients(body, places, dy, true);
    value.dispose();
    return grads.map((gradient, i) => (gradient as tf.Tensor | null) ?? tf.zerosLike(places[i]));
  } finally {
    engine.state.activeTape = tape;
  }
}
