/** The parts that models are made of: embeddings, stacks of blocks, norms, each with initial weights of its own. */
import * as tfl from '@tensorflow/tfjs-layers';
import { dropout } from '../layers/dropout.js';
import { layerNormalization } from '../layers/layer_normalization.js';
import { paddingMask } from '../layers/padding_mask.js';
import { positionEmbedding } from '../layers/position_embedding.js';
import { reversibleEmbedding, type ReversibleEmbedding } from '../layers/reversible_embedding.js';
import { rmsNormalization } from '../layers/rms_normalization.js';
import { sinePositionEncoding } from '../layers/sine_position_encoding.js';
import { tokenTypeEmbedding } from '../layers/token_type_embedding.js';
import { transformerBlock } from '../layers/transformer_block.js';
import type { Initializer } from '../layers/weight_options.js';
import type { ModelInput, TransformerOptions } from './transformer_options.js';

/** Inputs of a model by name; ids are always there. */
export type ModelInputs = Partial<Record<ModelInput, tfl.SymbolicTensor>> & {
  tokenIds: tfl.SymbolicTensor;
};

/** Masks of padding that blocks take. */
export interface PaddingInputs {
  /** The one that was given, or derived. */
  paddingMask?: tfl.SymbolicTensor;
  /** The derived one, when another is given. */
  keyMask?: tfl.SymbolicTensor;
}

/** How a stack of blocks is called. */
export interface StackCall {
  /** Whether tokens see only those before them. */
  causal: boolean;
  /** What the masks of padding are. */
  padding: PaddingInputs;
  /** Sequence and masks of an encoder that the blocks look at. */
  encoder?: {
    encoderSequence: tfl.SymbolicTensor;
    encoderPaddingMask?: tfl.SymbolicTensor;
    encoderSegmentIds?: tfl.SymbolicTensor;
  };
}

/** Makes the parts of one model, or of one half of it. */
export class ModelParts {
  /** Draws the next seed; all are different, undefined ones when the model has none. */
  readonly seeds: () => number | undefined;

  /**
   * @param options Options of the model.
   * @param prefix Put before the name of every layer.
   * @param seeds Where seeds come from, when several halves share it.
   */
  constructor(
    private readonly options: TransformerOptions,
    private readonly prefix = '',
    seeds?: () => number | undefined,
  ) {
    this.seeds = seeds ?? seedsFrom(options.seed);
  }

  /**
   * Normally distributed initial weights, N(0, (0.02·scale)²).
   *
   * @param scale 1 by default.
   * @returns An initializer with a seed of its own.
   */
  weights(scale = 1): Initializer {
    return tfl.initializers.randomNormal({ mean: 0, stddev: 0.02 * scale, seed: this.seeds() });
  }

  /**
   * Makes the inputs of a model, [null, null] each.
   *
   * @param names Their names.
   * @returns The inputs by name.
   */
  inputs<Name extends string>(names: readonly Name[]): Record<Name, tfl.SymbolicTensor> {
    const made = names.map((name) => [name, tfl.input({ name, shape: [null], dtype: 'int32' })]);
    return Object.fromEntries(made) as Record<Name, tfl.SymbolicTensor>;
  }

  /**
   * The table of token embeddings.
   *
   * @returns The layer, which can project back too.
   */
  tokenEmbedding(): ReversibleEmbedding {
    return reversibleEmbedding({
      name: `${this.prefix}token_embedding`,
      inputDim: this.options.vocabularySize,
      outputDim: this.options.hiddenDim,
      embeddingsInitializer: this.weights(),
    });
  }

  /**
   * Embeds tokens: their rows, those of their types, their positions, dropout.
   *
   * @param embedding What `tokenEmbedding` returned.
   * @param inputs Inputs of the model.
   * @param numTypes Rows of a table of token types of its own, added in any case and then normalised (BERT); without it,
   *     token types are rows of the token table (GPT-2).
   * @returns [B, T, D]
   */
  embedded(
    embedding: ReversibleEmbedding,
    inputs: ModelInputs,
    numTypes?: number,
  ): tfl.SymbolicTensor {
    const { options, prefix } = this;
    const { position = 'learned' } = options;
    let x = embedding.apply(inputs.tokenIds) as tfl.SymbolicTensor;
    if (numTypes !== undefined) {
      const types = tokenTypeEmbedding({
        name: `${prefix}token_type_embedding`,
        numTypes,
        initializer: this.weights(),
      });
      const { tokenTypeIds } = inputs;
      const rows = types.apply(x, tokenTypeIds ? { tokenTypeIds } : {}) as tfl.SymbolicTensor;
      x = this.add('token_type_add', x, rows);
    } else if (inputs.tokenTypeIds) {
      x = this.add('token_type_add', x, embedding.apply(inputs.tokenTypeIds));
    }
    if (position === 'learned' || position === 'sine') {
      const layer =
        position === 'learned'
          ? positionEmbedding({
              name: `${prefix}position_embedding`,
              sequenceLength: options.maxSequenceLength,
              initializer: this.weights(),
            })
          : sinePositionEncoding({ name: `${prefix}position_encoding` });
      const places = inputs.positions ? { positions: inputs.positions } : {};
      x = this.add('position_add', x, layer.apply(x, places));
    }
    if (numTypes !== undefined) x = this.norm('embedding_norm').apply(x) as tfl.SymbolicTensor;
    return this.dropped('embedding_dropout', x);
  }

  private add(name: string, ...terms: unknown[]): tfl.SymbolicTensor {
    const layer = tfl.layers.add({ name: `${this.prefix}${name}` });
    return layer.apply(terms as tfl.SymbolicTensor[]) as tfl.SymbolicTensor;
  }

  /**
   * Dropout at the rate of the model, or nothing when that is 0.
   *
   * @param name Name of the layer.
   * @param x Any tensor.
   * @returns The tensor after dropout.
   */
  dropped(name: string, x: tfl.SymbolicTensor): tfl.SymbolicTensor {
    const { dropout: rate } = this.options;
    if (!rate) return x;
    const layer = dropout({ name: `${this.prefix}${name}`, rate, seed: this.seeds() ?? null });
    return layer.apply(x) as tfl.SymbolicTensor;
  }

  /**
   * The masks of padding that blocks take: the model's input, what `padId` derives, or both.
   *
   * @param inputs Inputs of the model.
   * @returns Call arguments of a block.
   */
  padding(inputs: ModelInputs): PaddingInputs {
    const { padId } = this.options;
    const name = `${this.prefix}padding_mask`;
    const derived =
      padId === undefined
        ? undefined
        : (paddingMask({ name, padId }).apply(inputs.tokenIds) as tfl.SymbolicTensor);
    const given = inputs.paddingMask;
    if (!given || !derived) return given || derived ? { paddingMask: given ?? derived } : {};
    return { paddingMask: given, keyMask: derived };
  }

  /**
   * A stack of blocks and, when blocks normalise first, a norm behind it.
   *
   * @param embedded [B, T, D]
   * @param inputs Inputs of the model.
   * @param call Masks, and the encoder that the blocks look at.
   * @returns [B, T, D]
   */
  stacked(
    embedded: tfl.SymbolicTensor,
    inputs: ModelInputs,
    { causal, padding, encoder }: StackCall,
  ): tfl.SymbolicTensor {
    const { options, prefix } = this;
    const { position = 'learned', numLayers } = options;
    const numResiduals = encoder ? 3 * numLayers : 2 * numLayers;
    let x = embedded;
    for (let i = 0; i < numLayers; i++) {
      const block = transformerBlock({
        name: `${prefix}block_${i}`,
        numHeads: options.numHeads,
        numKeyValueHeads: options.numKeyValueHeads,
        headDim: options.headDim,
        intermediateDim: options.intermediateDim ?? 4 * options.hiddenDim,
        normalization: options.normalization,
        normEpsilon: options.normEpsilon,
        normFirst: options.normFirst,
        activation: options.activation,
        gated: options.gated,
        attentionBias: options.attentionBias,
        mlpBias: options.mlpBias,
        qkNorm: options.qkNorm,
        rotary: position === 'rotary' ? (options.rotary ?? true) : null,
        alibi: position === 'alibi',
        window: options.window,
        softCap: options.softCap,
        dropout: options.dropout,
        attentionDropout: options.attentionDropout,
        useCausalMask: causal,
        kernelInitializer: this.weights(),
        residualInitializer: this.weights(1 / Math.sqrt(numResiduals)),
        seed: this.seeds(),
        gradientCheckpointing: options.gradientCheckpointing,
      });
      x = block.apply(x, {
        ...padding,
        ...(position === 'rotary' && inputs.positions ? { positions: inputs.positions } : {}),
        ...(inputs.segmentIds ? { segmentIds: inputs.segmentIds } : {}),
        ...encoder,
      }) as tfl.SymbolicTensor;
    }
    const first = options.normFirst ?? true;
    return first ? (this.norm('final_norm').apply(x) as tfl.SymbolicTensor) : x;
  }

  /**
   * A normalisation of the model's kind.
   *
   * @param name Name of the layer.
   * @returns The layer.
   */
  norm(name: string): tfl.layers.Layer {
    const { normalization = 'layer', normEpsilon } = this.options;
    const named = `${this.prefix}${name}`;
    return normalization === 'layer'
      ? layerNormalization({ name: named, epsilon: normEpsilon ?? 1e-5 })
      : rmsNormalization({ name: named, epsilon: normEpsilon ?? 1e-6 });
  }
}

/** Seeds for the parts of a model, all different; undefined ones when the model has none. */
function seedsFrom(seed: number | undefined): () => number | undefined {
  let drawn = 0;
  return () => (seed === undefined ? undefined : seed + 7_919_317 * drawn++);
}
