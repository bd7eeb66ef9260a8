import * as tf from '@tensorflow/tfjs-core';
import { assert } from '../util/errors.js';
import { assertFloatTensor, assertParameter } from '../util/float_tensor.js';
import { dispatchAll } from './dispatch.js';
import { assertKernel, linear } from './linear.js';

/** Weights of one affine map. */
export interface AffineMap {
  /** W, [D, E] or, with more axes in the output, [D, ...E]. */
  kernel: tf.Tensor;
  /** b, [E]; none by default. */
  bias?: tf.Tensor | null;
}

/**
 * Several affine maps of one input, yᵢ = x·Wᵢ + bᵢ: query, key and value of self-attention. As one operation the
 * gradient of x is one product, not the sum of several.
 *
 * @param x [..., D], float32, at least one axis.
 * @param maps At least one; their widths may differ.
 * @returns The outputs [..., E] in order; differentiable in x and all weights.
 * @throws Error when there is no map or the shapes do not fit together.
 */
export function projections(x: tf.Tensor, maps: readonly AffineMap[]): tf.Tensor[] {
  assertFloatTensor('projections', 'x', x, 1);
  assert(maps.length > 0, () => 'projections: maps must not be empty.');
  const inputs: Record<string, tf.Tensor> = { x };
  maps.forEach(({ kernel, bias }, i) => {
    const to = assertKernel('projections', `kernel of map ${i}`, kernel, x, 1);
    assertParameter('projections', `bias of map ${i}`, bias, to, '[E]=');
    inputs[`kernel${i}`] = kernel;
    if (bias) inputs[`bias${i}`] = bias;
  });
  return dispatchAll({
    kernel: 'TransformersProjections',
    inputs,
    differentiable: Object.keys(inputs),
    attrs: { count: maps.length },
    outputs: maps.length,
    reference: () => maps.map(({ kernel, bias }) => linear(x, kernel, bias)),
  });
}
