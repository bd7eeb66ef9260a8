/** EinsumDense against products of matrices, its gradients, and how it is saved. */
import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';
import { checkLayer } from 'tfjs-transformers/testing';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const EQUATIONS: [string, number[], number | (number | null)[], string | null, number[]][] = [
  ['abc,cd->abd', [2, 3, 5], [null, 7], 'd', [2, 3, 7]],
  ['abc,cde->abde', [2, 3, 5], [null, 2, 7], 'de', [2, 3, 2, 7]],
  ['abcd,cde->abe', [2, 3, 2, 5], [null, 7], 'e', [2, 3, 7]],
  ['...x,xy->...y', [2, 3, 2, 5], 7, 'y', [2, 3, 2, 7]],
  ['aBc,cZ->aZB', [2, 3, 5], [7, null], null, [2, 7, 3]],
  ['abc,bcd->abd', [2, 3, 5], [3, 7], 'bd', [2, 3, 7]],
  ['abc,c->ab', [2, 3, 5], [null], null, [2, 3]],
];

/** The sum itself, one product after another: TensorFlow.js has no Einsum on every backend. */
function einsum(equation: string, a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const [left, right, out] = equation.split(/,|->/).map((part) => Array.from(part));
  const size = new Map(left.map((label, axis) => [label, a.shape[axis]]));
  right.forEach((label, axis) => size.set(label, b.shape[axis]));
  const labels = [...new Set([...left, ...right])];
  const offset = (axes: string[], at: Map<string, number>): number =>
    axes.reduce((sum, label) => sum * size.get(label)! + at.get(label)!, 0);
  const shape = out.map((label) => size.get(label)!);
  const sums = new Float64Array(tf.util.sizeFromShape(shape));
  const [x, y] = [a.dataSync(), b.dataSync()];
  const add = (rest: string[], at: Map<string, number>): void => {
    if (rest.length === 0) sums[offset(out, at)] += x[offset(left, at)] * y[offset(right, at)];
    else for (let i = 0; i < size.get(rest[0])!; i++) add(rest.slice(1), at.set(rest[0], i));
  };
  add(labels, new Map());
  return tf.tensor(Float32Array.from(sums), shape);
}

describeBackends('einsumDense', () => {
  test.each(EQUATIONS)('%s is einsum', async (equation, shape, outputShape, biasAxes, expected) => {
    const x = tf.input({ batchShape: shape });
    const layer = layers.einsumDense({ equation, outputShape, biasAxes });
    const y = layer.apply(x) as tf.SymbolicTensor;
    expect(y.shape).toEqual(expected);
    const model = tf.model({ inputs: x, outputs: y });
    const [kernel, bias] = layer.getWeights();
    if (bias) layer.setWeights([kernel, tf.randomUniform(bias.shape, -1, 1, 'float32', 3)]);
    const input = tf.randomUniform(shape, -1, 1, 'float32', 5);
    if (!equation.includes('...')) {
      const product = einsum(equation, input, kernel);
      const wanted = bias ? tf.add(product, layer.getWeights()[1]) : product;
      expectClose(model.predict(input) as tf.Tensor, wanted, { atol: 1e-5, rtol: 1e-5 });
    }
    const again = await saveAndLoad(model);
    expectClose(again.predict(input) as tf.Tensor, model.predict(input) as tf.Tensor);
  });
});

test('has right gradients, trains and saves', async () => {
  const make = (): layers.EinsumDense =>
    layers.einsumDense({ equation: 'abc,cde->aebd', outputShape: [3, null, 2], biasAxes: 'ed', activation: 'tanh' }); // prettier-ignore
  await checkLayer(make, tf.randomNormal([2, 5, 3], 0, 1, 'float32', 2));
});

test('refuses equations of another form', () => {
  const make = (equation: string): layers.EinsumDense =>
    layers.einsumDense({ equation, outputShape: 3 });
  for (const equation of ['ab,bc', 'aab,bc->ac', 'ab,bc->ad', 'ab->ba', 'a...,bc->ac', 'é,b->b']) {
    expect(() => make(equation)).toThrow(/EinsumDense: equation must be of the form/);
  }
  expect(() => make('ab,bc->ac').apply(tf.zeros([2, 3, 4]))).toThrow(
    /needs an input of another rank/,
  );
  const wide = layers.einsumDense({ equation: 'ab,bc->ac', outputShape: [1, 2, 3] });
  expect(() => wide.apply(tf.zeros([2, 3]))).toThrow(/outputShape has more sizes/);
});
