import * as tf from '@tensorflow/tfjs';
import { ops } from 'tfjs-transformers';
import { registerKernels, unregisterKernels } from 'tfjs-transformers/wasm';
import { forcePath } from '../../../src/ops/dispatch.js';
import { describeKernels } from '../../support/backends.js';
import { expectClose, expectIdentical } from '../../support/expect_close.js';

const names = (): string[] =>
  tf
    .getKernelsForBackend('wasm')
    .map(({ kernelName }) => kernelName)
    .filter((name) => name.startsWith('Transformers'))
    .sort();

describeKernels('registration of the kernels', () => {
  test('every kernel of an operation with a gradient has its pair', () => {
    const withoutGradient = ['TransformersAdamW', 'TransformersTensorSums'];
    const all = names();
    expect(all.length).toBeGreaterThan(10);
    const alone = all.filter((name) => {
      const partner = name.endsWith('Grad') ? name.slice(0, -4) : `${name}Grad`;
      return !all.includes(partner) && !withoutGradient.includes(name);
    });
    expect(alone).toEqual([]);
  });

  test('twice is as good as once', () => {
    const before = names().map((name) => tf.getKernel(name, 'wasm'));
    registerKernels();
    const after = names().map((name) => tf.getKernel(name, 'wasm'));
    expect(after).toHaveLength(before.length);
    expect(after.every((kernel, i) => kernel === before[i])).toBe(true);
  });

  test('unregistered, the references run; and registered again, the kernels', () => {
    const x = tf.randomNormal([5, 7], 0, 1, 'float32', 1);
    const byKernel = (): tf.Tensor => forcePath('kernel', () => ops.layerNorm(x));
    const expected = forcePath('reference', () => ops.layerNorm(x));
    expectClose(byKernel(), expected);
    unregisterKernels();
    unregisterKernels();
    expect(names()).toEqual([]);
    expectIdentical(ops.layerNorm(x), expected);
    expect(byKernel).toThrow('no kernel TransformersLayerNorm');
    registerKernels();
    expectClose(byKernel(), expected);
  });
});
