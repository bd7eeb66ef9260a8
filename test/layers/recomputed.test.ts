import * as tf from '@tensorflow/tfjs';
import { collectRandomStreams } from '../../src/layers/random_streams.js';
import { recomputed } from '../../src/layers/recomputed.js';
import { transformerBlock } from '../../src/layers/transformer_block.js';
import { bert } from '../../src/models/bert.js';
import { causalLM, type CausalLMOptions } from '../../src/models/causal_lm.js';
import { seq2seq } from '../../src/models/seq2seq.js';
import { describeBackends, expectNoLeak } from '../support/backends.js';
import { expectClose, expectIdentical } from '../support/expect_close.js';
import { saveAndLoad } from '../support/save_and_load.js';

const [B, T, V] = [2, 7, 17];
const base: CausalLMOptions = {
  vocabularySize: V,
  maxSequenceLength: 11,
  hiddenDim: 12,
  numLayers: 3,
  numHeads: 3,
  dropout: 0.3,
  padId: 0,
  seed: 5,
};
const ids = (first = 0): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: B * T }, (_, i) => (i % T < 5 ? 1 + ((first + i * 7) % (V - 1)) : 0)),
    [B, T],
    'int32',
  );

type Make = (gradientCheckpointing: boolean) => unknown;
const models: [string, Make, number][] = [
  ['causalLM', (g) => causalLM({ ...base, gradientCheckpointing: g }), 1],
  [
    'Llama',
    (g) =>
      causalLM({
        ...base,
        hiddenDim: 24,
        numHeads: 6,
        numKeyValueHeads: 2,
        position: 'rotary',
        normalization: 'rms',
        activation: 'silu',
        gated: true,
        qkNorm: true,
        window: 3,
        softCap: 5,
        gradientCheckpointing: g,
      }),
    1,
  ],
  ['bert', (g) => bert({ ...base, outputs: ['logits'], gradientCheckpointing: g }), 1],
  ['seq2seq', (g) => seq2seq({ ...base, gradientCheckpointing: g }), 2],
];

/** Two steps of gradients, with what the dropout has drawn. */
function gradients(model: tf.LayersModel, x: tf.Tensor[], step: number): tf.NamedTensorMap {
  const { value, grads } = tf.variableGrads(() =>
    tf.tidy(() => {
      const logits = model.apply(x, { training: true }) as tf.Tensor;
      return tf.sum(tf.square(tf.sub(logits, step))) as tf.Scalar;
    }),
  );
  return { ...Object.fromEntries(Object.entries(grads).map(([, g], i) => [`${i}`, g])), value };
}

describeBackends('gradient checkpointing', (backend) => {
  /** The same bits; on WebGPU all but: TensorFlow.js' scatter adds by atomics there, in no fixed order. */
  const expectSame = (got: tf.Tensor, expected: tf.Tensor): void =>
    backend === 'webgpu'
      ? expectClose(got, expected, { atol: 1e-5, rtol: 1e-6 })
      : expectIdentical(got, expected);

  test.each(models)('%s: the same bits, dropout included', async (_, make, count) => {
    const x = [ids(), ids(3)].slice(0, count);
    const [plain, forgetful] = [make(false), make(true)] as tf.LayersModel[];
    const loaded = await saveAndLoad(forgetful);
    for (const model of [forgetful, loaded]) {
      model.setWeights(plain.getWeights());
      collectRandomStreams(plain as never).forEach(
        (stream, path) => (stream.counter = path.length),
      );
      collectRandomStreams(model as never).forEach((stream, path) => {
        stream.restore(collectRandomStreams(plain as never).get(path)!);
      });
      for (const step of [0, 1]) {
        const expected = gradients(plain, x, step);
        const got = gradients(model, x, step);
        expect(Object.keys(got)).toEqual(Object.keys(expected));
        for (const name of Object.keys(got)) expectSame(got[name], expected[name]);
        tf.dispose([expected, got]);
      }
      const counters = (m: tf.LayersModel): number[] =>
        [...collectRandomStreams(m as never).values()].map(({ counter }) => counter);
      expect(counters(model)).toEqual(counters(plain));
    }
    expectIdentical(
      forgetful.predict(x.length === 1 ? x[0] : x) as tf.Tensor,
      plain.predict(x.length === 1 ? x[0] : x) as tf.Tensor,
    );
    expectNoLeak(() => gradients(forgetful, x, 2));
    for (const model of [plain, forgetful, loaded]) model.dispose();
  });

  test('holds far fewer bytes at the peak of a training step', async () => {
    const peak = async (gradientCheckpointing: boolean): Promise<number> => {
      const options = {
        ...base,
        hiddenDim: 12,
        numLayers: 5,
        maxSequenceLength: 32,
        padId: undefined,
      };
      const model = causalLM({ ...options, gradientCheckpointing }) as unknown as tf.LayersModel;
      const long = tf.ones([B, 32], 'int32');
      tf.dispose(gradients(model, [long], 0));
      const before = tf.memory().numBytes;
      const { peakBytes } = await tf.profile(() => gradients(model, [long], 1));
      model.dispose();
      long.dispose();
      return peakBytes - before;
    };
    const [all, forgotten] = [await peak(false), await peak(true)];
    expect(forgotten).toBeLessThan(all / 2);
  });

  test('weights that are frozen, and tensors that are not differentiated, get no gradient', () => {
    const block = transformerBlock({
      numHeads: 2,
      intermediateDim: 7,
      gradientCheckpointing: true,
    });
    const x = tf.randomNormal([2, 3, 4], 0, 1, 'float32', 1);
    const run = (h: tf.Tensor): tf.Tensor =>
      tf.square(block.apply(h, { training: true, paddingMask: tf.tensor2d([[1, 1, 0], [1, 1, 1]]) }) as tf.Tensor); // prettier-ignore
    const plain = transformerBlock({ numHeads: 2, intermediateDim: 7 });
    tf.dispose([run(x), plain.apply(x) as tf.Tensor]);
    plain.setWeights(block.getWeights());
    const expected = tf.grad(
      (h) =>
      tf.square(plain.apply(h, { paddingMask: tf.tensor2d([[1, 1, 0], [1, 1, 1]]) }) as tf.Tensor), // prettier-ignore
    )(x);
    expectIdentical(tf.grad(run)(x), expected);
    block.trainable = false;
    expectIdentical(tf.grad(run)(x), expected);
    const before = block.subLayers.map(({ weights }) => weights.length);
    expect(before.reduce((a, b) => a + b)).toBe(16);
  });

  test('a gradient that nothing reaches is zero', () => {
    const [x, unused] = [tf.tensor1d([1, 2, 3]), tf.variable(tf.tensor1d([5, 7]))];
    const f = (h: tf.Tensor): tf.Tensor =>
      recomputed([{ h }], [unused], [], ([{ h: again }]) => tf.square(again!));
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.add(tf.sum(f(x)), tf.sum(unused))) as tf.Scalar,
    );
    expectIdentical(grads[unused.name], tf.ones([2]));
    expectIdentical(tf.grad(f)(x), tf.tensor1d([2, 4, 6]));
    unused.dispose();
  });
});
