/** gpt-tfjs 0.0.5: minGPT in TensorFlow.js layers, without a cache. Given the weights of one of our models. */
import * as tf from '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import type { Sizes } from '../composed_gpt.js';

/** Its model, and a training step as its `train` does it, from ids instead of a dataset. */
export class GptTfjs {
  readonly model: tf.LayersModel;
  private readonly optimizer: tf.Optimizer;

  /**
   * @param sizes Sizes of both models.
   * @param model Our `causalLM` with learned positions; its weights are copied.
   * @param learningRate Of Adam.
   * @throws Error where the package is not installed.
   */
  constructor(
    private readonly sizes: Omit<Sizes, 'batch'>,
    model: tf.LayersModel,
    learningRate = 1e-3,
  ) {
    const { model: gpt } = createRequire(import.meta.url)('gpt-tfjs') as {
      model: { GPT: (config: object) => tf.LayersModel };
    };
    const { layers, width, heads, length, vocabulary } = sizes;
    this.model = gpt.GPT({
      ...{ vocabSize: vocabulary, blockSize: length, nLayer: layers, nHead: heads, nEmbd: width },
      ...{ dropout: 0, embdDrop: 0, residDrop: 0 },
    });
    copyWeights(model, this.model, width);
    this.optimizer = tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
  }

  step(ids: tf.Tensor2D, labels: tf.Tensor2D): tf.Scalar {
    return this.optimizer.minimize(() => {
      const logits = this.model.apply(ids) as tf.Tensor;
      return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, this.sizes.vocabulary), logits);
    }, true)!;
  }
}

/** Its names of our weights; query, key and value lie side by side. */
function copyWeights(from: tf.LayersModel, to: tf.LayersModel, width: number): void {
  const ours = new Map(from.weights.map((weight) => [weight.originalName, weight.read()]));
  const get = (name: string): tf.Tensor => {
    const tensor = ours.get(name);
    if (!tensor) throw new Error(`gpt-tfjs: our model has no weight ${name}.`);
    return tensor;
  };
  const parts = { c_attn: '', c_proj: 'attention_output', c_fc: 'feedforward_intermediate_dense' };
  tf.tidy(() => {
    const weights = to.weights.map(({ originalName, shape }) => {
      const [, layer, part, name, kind] =
        /^transformer\/h\/(\d+)\/(attn|mlp|ln_\d)\/(?:(\w+)\/)?(\w+)$/.exec(originalName) ?? [];
      const value = (): tf.Tensor => {
        if (originalName === 'transformer/wte/embeddings') return get('token_embedding/embeddings');
        if (originalName === 'transformer/wpe/embeddings')
          return get('position_embedding/embeddings');
        if (originalName === 'lm_head/kernel')
          return tf.transpose(get('token_embedding/embeddings'));
        if (layer === undefined) return get(originalName.replace('transformer/ln_f', 'final_norm'));
        const block = `block_${layer}/`;
        if (part === 'ln_1') return get(`${block}self_attention_layer_norm/${kind}`);
        if (part === 'ln_2') return get(`${block}feedforward_layer_norm/${kind}`);
        if (part === 'mlp')
          return get(
            `${block}${name === 'c_fc' ? parts.c_fc : 'feedforward_output_dense'}/${kind}`,
          );
        if (name === 'c_proj') return get(`${block}self_attention/${parts.c_proj}/${kind}`);
        const rows = kind === 'kernel' ? [width, width] : [width];
        const three = ['query', 'key', 'value'].map((which) =>
          tf.reshape(get(`${block}self_attention/${which}/${kind}`), rows),
        );
        return tf.concat(three, -1);
      };
      return tf.reshape(value(), shape as number[]);
    });
    to.setWeights(weights);
  });
}
