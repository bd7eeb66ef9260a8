import * as tf from '@tensorflow/tfjs';
import { masks, training, visualize } from 'tfjs-transformers';
import type { tokenizers } from 'tfjs-transformers';

/** A heat map has one column a token, so special tokens get one letter. */
const SHORT: Record<string, string> = { '<pad>': '_', '<start>': '^', '<end>': '$' };

/** Labels of heat maps for token ids. */
export function labelsOf(ids: ArrayLike<number>, tokenizer: tokenizers.Tokenizer): string[] {
  return Array.from(ids, (id) => tokenizer.tokenOf(id)).map((token) => SHORT[token] ?? token);
}

/**
 * Draws who may attend to whom in the shortest name of a batch: the padding mask, the causal mask, and both combined,
 * which is what attention gets.
 *
 * @param batch A batch of names.
 * @param tokenizer Their tokenizer.
 * @returns Lines of text.
 */
export async function showMasks(
  batch: training.Batch,
  tokenizer: tokenizers.Tokenizer,
): Promise<string> {
  const [B, T] = batch.inputs.tokenIds.shape;
  const rows = Array.from({ length: B }, (_, b) =>
    batch.inputs.tokenIds.values.subarray(b * T, (b + 1) * T),
  );
  const padId = tokenizer.idOf('<pad>');
  const lengths = rows.map((ids) => ids.filter((id) => id !== padId).length);
  const shortest = lengths.indexOf(Math.min(...lengths));
  const labels = labelsOf(rows[shortest], tokenizer);

  const { inputs, labels: targets } = training.toTensors(batch);
  const padding = masks.padding(inputs.tokenIds, padId); // [B,1,1,S]
  const causal = masks.causal(T); // [1,1,T,S]
  const both = masks.and(padding, causal); // [B,1,T,S]
  const draw = (mask: tf.Tensor, title: string, legend = false): Promise<string> =>
    visualize.text(mask, {
      title,
      legend,
      batch: mask.shape[0] === 1 ? 0 : shortest,
      queryLabels: labels,
      keyLabels: labels,
    });
  const picture = visualize.sideBySide([
    await draw(padding, 'padding mask'),
    await draw(causal, 'AND  causal mask'),
    await draw(both, '=  what attention sees', true),
  ]);
  tf.dispose([inputs, targets, padding, causal, both]);
  return picture;
}
