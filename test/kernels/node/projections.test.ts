import * as tf from '@tensorflow/tfjs';
import { projections } from '../../../src/ops/projections.js';
import { describeNodeKernels } from '../../support/backends.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

describeNodeKernels('several maps of one input', () => {
  const random = (shape: number[], seed: number): tf.Tensor =>
    tf.randomNormal(shape, 0, 1, 'float32', seed);
  const x = (): tf.Tensor => random([2, 3, 5], 1);
  const weights = (): tf.Tensor[] => [
    random([5, 7], 2),
    random([7], 3),
    random([5, 2, 3], 4),
    random([5, 1], 5),
    random([1], 6),
  ];

  test.each([[[0, 1, 2]], [[1]], [[2, 0]]])('outputs %j and their gradients', (which) => {
    const all = weights();
    const places = [[0, 1], [2], [3, 4]];
    // What belongs to the other outputs gets no gradient, nor do they give one.
    const used = which.flatMap((i) => places[i]);
    const operation = (x: tf.Tensor, ...given: tf.Tensor[]): tf.Tensor => {
      const current = all.map((weight, i) => (used.includes(i) ? given[used.indexOf(i)] : weight));
      const maps = places.map(([kernel, bias]) => ({
        kernel: current[kernel],
        bias: bias === undefined ? null : current[bias],
      }));
      const outputs = projections(x, maps);
      return tf.concat(which.map((i) => tf.reshape(outputs[i], [-1])));
    };
    expectKernelLikeReference(operation, [x(), ...used.map((i) => all[i])]);
  });

  test('one map, and one row', () => {
    const one = (x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): tf.Tensor =>
      projections(x, [{ kernel, bias }])[0];
    expectKernelLikeReference(one, [x(), ...weights().slice(0, 2)]);
    expectKernelLikeReference(one, [random([1, 5], 7), ...weights().slice(0, 2)]);
    expectKernelLikeReference(one, [random([0, 5], 7), ...weights().slice(0, 2)]);
  });
});
