import * as tf from '@tensorflow/tfjs';
import type { ActivationName } from '../../../src/ops/activation.js';
import { linear } from '../../../src/ops/linear.js';
import { describeNodeKernels } from '../../support/backends.js';
import { expectKernelLikeReference } from '../../support/kernel_and_reference.js';

describeNodeKernels('affine maps', () => {
  const random = (shape: number[], seed: number): tf.Tensor =>
    tf.randomNormal(shape, 0, 1, 'float32', seed);

  test.each<ActivationName>(['relu', 'gelu', 'geluTanh', 'silu', 'sigmoid', 'tanh', 'linear'])(
    'with %s',
    (activation) => {
      const operation = (x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): tf.Tensor =>
        linear(x, kernel, bias, { activation });
      const weights = [random([5, 3, 2], 2), random([3, 2], 3)];
      expectKernelLikeReference(operation, [random([7, 2, 5], 1), ...weights]);
      expectKernelLikeReference(operation, [random([1, 5], 4), ...weights]);
    },
  );

  test('of two axes', () => {
    const operation = (x: tf.Tensor, kernel: tf.Tensor): tf.Tensor =>
      linear(x, kernel, null, { inputAxes: 2 });
    expectKernelLikeReference(operation, [random([2, 3, 5, 7], 1), random([5, 7, 11], 2)]);
  });

  // One row goes another way than several: decoding.
  test.each([1, 3])('by a transposed kernel, %i rows', (rows) => {
    const operation = (x: tf.Tensor, kernel: tf.Tensor): tf.Tensor =>
      linear(x, kernel, null, { transposeKernel: true });
    expectKernelLikeReference(operation, [random([rows, 5], 1), random([7, 5], 2)]);
  });
});
