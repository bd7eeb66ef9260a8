import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import { allLayers } from '../layers/all_layers.js';
import { PaddingMask } from '../layers/padding_mask.js';
import { ReversibleEmbedding } from '../layers/reversible_embedding.js';
import { assert } from '../util/errors.js';
import { assertTokenIds } from '../util/token_ids.js';
import { contextLength } from './context_length.js';
import { applyModel, inputNames, type Values } from './model_inputs.js';

/** The encoder of an encoder–decoder model and what it is to read. */
export interface Encoder {
  /** The encoder: source ids [B, S] → its output [B, S, D], and perhaps the mask of its padding. */
  model: tfl.LayersModel;
  /** Names of its inputs. */
  names: string[];
  /** What it reads, one array a row, of any lengths. */
  sources: number[][];
  /** Id that fills up shorter sources. */
  padId: number;
  /** Whether the decoder has an input for the mask of the source. */
  feedsMask: boolean;
}

/**
 * Whether a model is an encoder–decoder model, as `models.seq2seq` makes them.
 *
 * @param model A model.
 * @returns True when it takes the ids of a decoder.
 */
export function isEncoderDecoder(model: tfl.LayersModel): boolean {
  const names = model.inputNames as string[] | undefined;
  return names?.includes('decoderTokenIds') ?? false;
}

/**
 * Checks what an encoder is to read.
 *
 * @param where Name of the function that was called.
 * @param model The encoder.
 * @param sources Ids, one array a row.
 * @param padId Fills up shorter sources where the model has no padding id of its own.
 * @param decoderNames Names of the decoder's inputs.
 * @returns What `EncodedSource` needs.
 * @throws Error when an id is out of range, or a source longer than the encoder has positions for.
 */
export function prepareEncoder(
  where: string,
  model: tfl.LayersModel,
  sources: number[][],
  padId: number,
  decoderNames: readonly string[],
): Encoder {
  const names = inputNames(where, model);
  const layers = [...allLayers(model).values()];
  const table = layers.find((layer) => layer instanceof ReversibleEmbedding);
  if (table) assertTokenIds(where, sources, table.inputDim);
  const most = contextLength(model);
  const longest = Math.max(...sources.map((ids) => ids.length));
  assert(
    longest <= most,
    () =>
      `${where}: the encoder has learned positions for ${most} tokens, got a prompt of ${longest}. Shorten it.`,
  );
  const mask = layers.find((layer) => layer instanceof PaddingMask);
  return {
    model,
    names,
    sources,
    // What the model itself takes for padding, so that its own mask and ours say the same.
    padId: mask ? (mask.getConfig().padId as number) : padId,
    feedsMask: decoderNames.includes('encoderPaddingMask'),
  };
}

/**
 * What the encoder made of the sources: computed once, then attended over in every step. Sources are filled up on the
 * right, so that each has the positions that it has alone.
 */
export class EncodedSource {
  private readonly tensors: Record<string, tf.Tensor> = {};
  /** Whether the decoder is told by an argument what of the source is padding. */
  private readonly maskIsArgument: boolean;

  /** @param encoder What `prepareEncoder` returned; it is run once, here. */
  constructor({ model, names, sources, padId, feedsMask }: Encoder) {
    const S = Math.max(...sources.map((ids) => ids.length));
    const isRagged = sources.some((ids) => ids.length < S);
    this.maskIsArgument = isRagged && !feedsMask;
    const filled = (value: (ids: number[], s: number) => number, rest: number): tf.Tensor =>
      tf.tensor2d(
        sources.map((ids) =>
          Array.from({ length: S }, (_, s) => (s < ids.length ? value(ids, s) : rest)),
        ),
        [sources.length, S],
        'int32',
      );
    tf.tidy(() => {
      const mask = filled(() => 1, 0);
      const zeros = (): tf.Tensor => tf.zeros([sources.length, S], 'int32');
      const values: Values = {
        tokenIds: () => filled((ids, s) => ids[s], padId),
        paddingMask: () => mask,
        positions: () => filled((_, s) => s, 0),
        segmentIds: zeros,
        tokenTypeIds: zeros,
      };
      const kwargs = { training: false, ...(isRagged ? { paddingMask: mask } : {}) };
      const [output, ownMask] = applyModel(model, names, values, kwargs) as (
        tf.Tensor | undefined
      )[];
      this.keep('encoderOutput', output!);
      this.keep('encoderPaddingMask', ownMask ?? mask);
    });
  }

  /** What the decoder can be fed, by the names of its inputs. */
  get values(): Values {
    const { encoderOutput, encoderPaddingMask } = this.tensors;
    return {
      encoderOutput: () => encoderOutput,
      encoderPaddingMask: () => encoderPaddingMask,
      encoderSegmentIds: () => tf.zerosLike(tf.cast(encoderPaddingMask, 'int32')),
    };
  }

  /** What the decoder has to be told beside its inputs. */
  get callArguments(): Record<string, tf.Tensor> {
    return this.maskIsArgument ? { encoderPaddingMask: this.tensors.encoderPaddingMask } : {};
  }

  /**
   * Replaces the rows by a selection of them.
   *
   * @param rows For each new row the old one.
   */
  select(rows: readonly number[]): void {
    tf.tidy(() => {
      const indices = tf.tensor1d([...rows], 'int32');
      for (const [name, tensor] of Object.entries(this.tensors)) {
        const isBool = tensor.dtype === 'bool'; // which not every backend gathers
        const chosen = tf.gather(isBool ? tf.cast(tensor, 'int32') : tensor, indices);
        this.keep(name, isBool ? tf.cast(chosen, 'bool') : chosen);
        tensor.dispose();
      }
    });
  }

  /** Frees the tensors. */
  dispose(): void {
    tf.dispose(this.tensors);
  }

  private keep(name: string, tensor: tf.Tensor): void {
    this.tensors[name] = tf.keep(tf.clone(tensor));
  }
}
