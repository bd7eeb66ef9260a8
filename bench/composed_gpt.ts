/**
 * A small GPT as people write it by hand in TensorFlow.js, kept as it is to compare with: one-hot embeddings (so that
 * it trains on wasm), an additive causal mask, moments for the layer norm, one-hot cross-entropy, Adam. Weights are
 * taken from one of our models, so that both compute the same numbers.
 */
import * as tf from '@tensorflow/tfjs';

/** Sizes of the model. */
export interface Sizes {
  layers: number;
  width: number;
  heads: number;
  length: number;
  batch: number;
  vocabulary: number;
}

/** One weight of the model by its name in ours. */
type Weights = Record<string, tf.Variable>;

/** The hand-written model: logits, and a training step that returns the loss. */
export class ComposedGPT {
  private readonly weights: Weights = {};
  private readonly optimizer: tf.Optimizer;

  constructor(
    private readonly sizes: Sizes,
    model: tf.LayersModel,
    learningRate: number,
  ) {
    for (const weight of model.weights) {
      this.weights[weight.originalName] = tf.variable(weight.read());
    }
    this.optimizer = tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
  }

  logits(ids: tf.Tensor2D): tf.Tensor {
    const { layers, width, length, batch, vocabulary } = this.sizes;
    const w = (name: string): tf.Variable => this.weights[name];
    const hot = tf.oneHot(ids.flatten(), vocabulary).toFloat();
    const tokens = tf.matMul(hot, w('token_embedding/embeddings') as tf.Tensor2D);
    let x: tf.Tensor = tokens
      .reshape([batch, length, width])
      .add(w('position_embedding/embeddings').slice(0, length));
    const causal = tf.linalg
      .bandPart(tf.ones([length, length]), -1, 0)
      .sub(1)
      .mul(1e9);
    for (let i = 0; i < layers; i++) {
      x = x.add(
        this.attention(
          this.norm(x, `block_${i}/self_attention_layer_norm`),
          `block_${i}/self_attention`,
          causal,
        ),
      );
      const h = this.norm(x, `block_${i}/feedforward_layer_norm`);
      const wide = gelu(
        this.dense(h, `block_${i}/feedforward_intermediate_dense`, [width], [4 * width]),
      );
      x = x.add(this.dense(wide, `block_${i}/feedforward_output_dense`, [4 * width], [width]));
    }
    const table = w('token_embedding/embeddings') as tf.Tensor2D;
    return tf
      .matMul(
        this.norm(x, 'final_norm').reshape([batch * length, width]) as tf.Tensor2D,
        table,
        false,
        true,
      )
      .reshape([batch, length, vocabulary]);
  }

  step(ids: tf.Tensor2D, labels: tf.Tensor2D): tf.Scalar {
    const { vocabulary } = this.sizes;
    return this.optimizer.minimize(() => {
      const logits = this.logits(ids).reshape([-1, vocabulary]);
      return tf.losses.softmaxCrossEntropy(tf.oneHot(labels.flatten(), vocabulary), logits);
    }, true)!;
  }

  private attention(x: tf.Tensor, name: string, causal: tf.Tensor): tf.Tensor {
    const { width, heads, length, batch } = this.sizes;
    const size = width / heads;
    const project = (part: string): tf.Tensor =>
      this.dense(x, `${name}/${part}`, [width], [heads, size])
        .reshape([batch, length, heads, size])
        .transpose([0, 2, 1, 3]);
    const scores = tf.matMul(project('query'), project('key'), false, true).div(Math.sqrt(size));
    const weights = tf.softmax(scores.add(causal));
    const joined = tf
      .matMul(weights, project('value'))
      .transpose([0, 2, 1, 3])
      .reshape([batch, length, width]);
    return this.dense(joined, `${name}/attention_output`, [heads, size], [width]);
  }

  private dense(x: tf.Tensor, name: string, from: number[], to: number[]): tf.Tensor {
    const { length, batch } = this.sizes;
    const rows = from.reduce((a, b) => a * b);
    const columns = to.reduce((a, b) => a * b);
    const kernel = this.weights[`${name}/kernel`].reshape([rows, columns]) as tf.Tensor2D;
    return tf
      .matMul(x.reshape([batch * length, rows]) as tf.Tensor2D, kernel)
      .add(this.weights[`${name}/bias`].reshape([columns]))
      .reshape([batch, length, columns]);
  }

  private norm(x: tf.Tensor, name: string): tf.Tensor {
    const { mean, variance } = tf.moments(x, -1, true);
    const normal = x.sub(mean).div(variance.add(1e-5).sqrt());
    return normal.mul(this.weights[`${name}/gamma`]).add(this.weights[`${name}/beta`]);
  }
}

function gelu(x: tf.Tensor): tf.Tensor {
  const inner = x.add(x.pow(3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
}
