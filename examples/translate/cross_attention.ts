import * as tf from '@tensorflow/tfjs';
import { layers } from 'tfjs-transformers';

/**
 * What a model looks at in a source while it writes each token of an answer.
 *
 * @param model A model of `models.seq2seq`, with the inputs `tokenIds`, `decoderTokenIds` and their padding masks.
 * @param source Ids of the source.
 * @param target Ids of the answer, start token first.
 * @returns [T][S]: weights over the source, the mean of the heads of the last block.
 */
export async function crossAttention(
  model: tf.LayersModel,
  source: number[],
  target: number[],
): Promise<number[][]> {
  const mean = tf.tidy(() => {
    const given: Record<string, tf.Tensor> = {
      tokenIds: tf.tensor2d([source], [1, source.length], 'int32'),
      decoderTokenIds: tf.tensor2d([target], [1, target.length], 'int32'),
      paddingMask: tf.ones([1, source.length], 'bool'),
      decoderPaddingMask: tf.ones([1, target.length], 'bool'),
    };
    const scores = layers.attentionScores(
      model,
      model.inputNames.map((name) => given[name]),
    );
    const cross = [...scores].filter(([path]) => path.endsWith('cross_attention'));
    const last = cross[cross.length - 1][1]; // [1,N,T,S]
    const result = tf.squeeze<tf.Tensor2D>(tf.mean(last, 1), [0]);
    tf.dispose([...scores.values()]);
    return result;
  });
  const weights = await mean.array();
  mean.dispose();
  return weights;
}
