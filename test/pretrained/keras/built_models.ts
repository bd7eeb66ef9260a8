/** Models that are built in JavaScript, to be saved for Keras. */
import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';

interface BuiltModel {
  build: () => tf.LayersModel;
  /** Makes the inputs, in the model's order. */
  inputs: (() => tf.Tensor)[];
}

type Symbolic = tf.SymbolicTensor;

const apply = (layer: tf.layers.Layer, x: Symbolic | Symbolic[], kwargs = {}): Symbolic =>
  layer.apply(x, kwargs) as Symbolic;

/** Three rows of ids, two of them padded with 0. */
const ids = (): tf.Tensor =>
  tf.tensor2d(
    [[3, 1, 4, 1, 5, 9, 2], [6, 5, 3, 5, 0, 0, 0], [8, 9, 7, 9, 3, 0, 0]],
    [3, 7],
    'int32',
  ); // prettier-ignore
const features =
  (...shape: number[]) =>
  (): tf.Tensor =>
    tf.randomNormal(shape, 0, 1, 'float32', 5);

/** Each covers some of the classes that have a counterpart. */
export const builtModels: Record<string, BuiltModel> = {
  sequential: {
    build: () =>
      tf.sequential({
        name: 'plain',
        layers: [
          tf.layers.conv1d({
            filters: 5,
            kernelSize: 3,
            padding: 'same',
            activation: 'relu',
            inputShape: [7, 3],
          }),
          tf.layers.batchNormalization(),
          tf.layers.maxPooling1d({ poolSize: 2 }),
          tf.layers.bidirectional({
            layer: tf.layers.lstm({ units: 3, recurrentActivation: 'sigmoid' }),
            mergeMode: 'concat',
          }),
          tf.layers.dropout({ rate: 0.3 }),
          tf.layers.dense({
            units: 5,
            activation: 'gelu',
            kernelRegularizer: tf.regularizers.l2({ l2: 0.1 }),
          }),
          tf.layers.dense({ units: 2, activation: 'softmax' }),
        ],
      }),
    inputs: [features(2, 7, 3)],
  },
  classifier: {
    build: () => {
      const tokens = tf.input({ shape: [7], dtype: 'int32', name: 'tokens' });
      const paddingMask = apply(layers.paddingMask(), tokens);
      const embedding = { vocabularySize: 11, sequenceLength: 13, embeddingDim: 10 };
      let x = apply(layers.tokenAndPositionEmbedding(embedding), tokens);
      x = apply(
        layers.transformerEncoder({ intermediateDim: 13, numHeads: 2, activation: 'gelu' }),
        x,
        { paddingMask },
      );
      x = apply(
        layers.transformerEncoder({ intermediateDim: 11, numHeads: 2, normalizeFirst: true }),
        x,
        { paddingMask },
      );
      x = apply(layers.globalAveragePooling1d(), x, { paddingMask });
      return tf.model({ inputs: tokens, outputs: apply(tf.layers.dense({ units: 3 }), x) });
    },
    inputs: [ids],
  },
  attention: {
    build: () => {
      const tokens = tf.input({ shape: [7], dtype: 'int32', name: 'tokens' });
      const mask = tf.input({ shape: [7, 7], name: 'mask' });
      const e = apply(layers.embedding({ inputDim: 11, outputDim: 8 }), tokens);
      const paddingMask = apply(layers.paddingMask({ padId: 0 }), tokens);
      let x = apply(layers.multiHeadAttention({ numHeads: 2, keyDim: 3, useCausalMask: true }), e, {
        valueMask: paddingMask,
      });
      x = apply(layers.rmsNormalization(), apply(tf.layers.add(), [e, x]));
      x = apply(
        layers.groupedQueryAttention({
          headDim: 3,
          numQueryHeads: 4,
          numKeyValueHeads: 2,
          useGate: true,
        }),
        x,
        { attentionMask: mask },
      );
      x = apply(layers.layerNormalization({ epsilon: 1e-5 }), x);
      x = apply(
        layers.multiHeadAttention({ numHeads: 2, keyDim: 3, slidingWindow: 3, outputShape: 6 }),
        [x, e],
      );
      const a = apply(layers.attention({ useScale: true }), [x, x]);
      const b = apply(layers.additiveAttention(), [x, a]);
      const y = apply(layers.dense({ units: 3, activation: 'geluTanh' }), b);
      return tf.model({ inputs: [tokens, mask], outputs: [y, a] });
    },
    inputs: [ids, () => tf.linalg.bandPart(tf.ones([3, 7, 7]), -1, 2)],
  },
  decoder: {
    build: () => {
      const source = tf.input({ shape: [7], dtype: 'int32', name: 'source' });
      const target = tf.input({ shape: [7], dtype: 'int32', name: 'target' });
      const embedding = layers.reversibleEmbedding({ inputDim: 11, outputDim: 8 });
      const [e, d] = [source, target].map((x) => apply(embedding, x));
      const positions = apply(layers.positionEmbedding({ sequenceLength: 9 }), d);
      const sines = apply(layers.sinePositionEncoding(), e);
      const x = apply(
        layers.transformerDecoder({ intermediateDim: 13, numHeads: 2, activation: 'geluTanh' }),
        [apply(tf.layers.add(), [d, positions]), apply(tf.layers.add(), [e, sines])],
        { encoderPaddingMask: apply(layers.paddingMask(), source) },
      );
      return tf.model({ inputs: [source, target], outputs: apply(embedding, x) });
    },
    inputs: [ids, () => tf.tensor2d([[1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1], [2, 4, 6, 8, 10, 1, 3]], [3, 7], 'int32')], // prettier-ignore
  },
  operators: {
    build: () => {
      const x = tf.input({ shape: [5, 6], name: 'x' });
      const op = (
        name: string,
        inputs: Symbolic | Symbolic[],
        ...operands: layers.OperandTemplate[]
      ): Symbolic =>
        apply(layers.operator({ op: name, ...(operands.length > 0 ? { operands } : {}) }), inputs);
      const i = (input: number): { input: number } => ({ input });
      const sum = op('add', [x, op('multiply', x, i(0), 0.5)]);
      const first = op('getItem', sum, i(0), [{ slice: [null, null, null] }, 0]);
      const heads = op('transpose', op('reshape', x, i(0), [-1, 5, 2, 3]), i(0), [0, 2, 1, 3]);
      const scores = op(
        'softmax',
        op('matmul', [heads, op('swapAxes', heads, i(0), -1, -2)]),
        i(0),
        -1,
      );
      return tf.model({
        inputs: x,
        outputs: [first, scores, op('mean', sum, i(0), 1), op('gelu', sum)],
      });
    },
    inputs: [features(2, 5, 6)],
  },
  nested: {
    build: () => {
      const a = tf.input({ shape: [5, 6], name: 'a' });
      const b = tf.input({ shape: [5, 6], name: 'b' });
      const t = tf.input({ shape: [5, 6], name: 't' });
      const inner = tf.model({
        name: 'inner',
        inputs: t,
        outputs: apply(
          tf.layers.flatten(),
          apply(layers.multiHeadAttention({ numHeads: 2, keyDim: 3 }), t),
        ),
      });
      const mlp = tf.sequential({
        name: 'mlp',
        layers: [
          tf.layers.dense({ units: 7, activation: 'tanh', inputShape: [30] }),
          tf.layers.dense({ units: 3 }),
        ],
      });
      const [x, y] = [a, b].map((one) => apply(inner, one));
      const both = apply(tf.layers.concatenate(), [apply(mlp, x), apply(mlp, y)]);
      // Two layers of one class at one depth: Keras counts them by its own order.
      const [left, right] = ['z', 'y'].map((name) => tf.layers.dense({ units: 6, name }));
      const outputs = [apply(right, both), apply(left, both), apply(inner, a)];
      return tf.model({ inputs: [b, a], outputs });
    },
    inputs: [features(2, 5, 6), () => tf.randomNormal([2, 5, 6], 0, 1, 'float32', 7)],
  },
  recurrent: {
    build: () =>
      tf.sequential({
        layers: [
          tf.layers.embedding({ inputDim: 11, outputDim: 5, maskZero: true, inputLength: 7 }),
          tf.layers.lstm({ units: 4, returnSequences: true, recurrentActivation: 'sigmoid' }),
          tf.layers.gru({ units: 3, recurrentActivation: 'sigmoid' }),
          tf.layers.dense({ units: 2, activation: 'sigmoid' }),
        ],
      }),
    inputs: [ids],
  },
};
