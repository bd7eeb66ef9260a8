import type * as tfl from '@tensorflow/tfjs-layers';
import { PositionEmbedding } from '../layers/position_embedding.js';
import { allLayers } from '../layers/all_layers.js';

/**
 * The longest sequence that a model has positions for.
 *
 * @param model A model; layers inside layers are searched too.
 * @returns The smallest `sequenceLength` of its `positionEmbedding` layers; Infinity when it has none.
 */
export function contextLength(model: tfl.LayersModel): number {
  const lengths = [...new Set(allLayers(model).values())].map((layer) =>
    layer instanceof PositionEmbedding ? layer.sequenceLength : Infinity,
  );
  return Math.min(Infinity, ...lengths);
}

/** The next token would not fit into a model with learned positions. */
export class ContextLengthError extends Error {
  override name = 'ContextLengthError';

  /**
   * @param where Name of the function that was called.
   * @param contextLength How many tokens fit, prompt included.
   * @param ids What there is so far, prompt included, one array a row: nothing that was generated is lost.
   * @param promptLength Length of the longest prompt.
   * @param generated How many tokens were generated.
   */
  constructor(
    where: string,
    readonly contextLength: number,
    readonly ids: number[][],
    promptLength: number,
    generated: number,
  ) {
    const room = Math.max(0, contextLength - promptLength);
    super(
      `${where}: the model has learned positions for ${contextLength} tokens, got a prompt of ${promptLength}, ` +
        `which leaves room for ${room}; ${generated} were generated (error.ids has them). ` +
        (room > 0 ? `Set maxNewTokens to at most ${room}, or shorten` : 'Shorten') +
        " the prompt, or use a model with position: 'rotary'.",
    );
  }
}
