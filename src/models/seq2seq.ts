import * as tfl from '@tensorflow/tfjs-layers';
import { andMask } from '../layers/and_mask.js';
import { dense } from '../layers/dense.js';
import { assertInteger } from '../util/errors.js';
import { ModelParts, type ModelInputs } from './model_parts.js';
import {
  checkInputs,
  checkTransformerOptions,
  type ModelInput,
  type TransformerOptions,
} from './transformer_options.js';

/** What `seq2seq` can take: inputs of the encoder [B, S], and those of the decoder [B, T]. */
export type Seq2SeqInput =
  | ModelInput
  | 'decoderTokenIds'
  | 'decoderPaddingMask'
  | 'decoderPositions'
  | 'decoderSegmentIds'
  | 'decoderTokenTypeIds';

/**
 * Options of `seq2seq`: those of both halves; what is not given for the decoder is as in the encoder. Defaults:
 * `normFirst` true, `normEpsilon` 1e-5 or 1e-6, `activation` `geluApproximate`. `padId` is about the encoder's tokens.
 */
export interface Seq2SeqOptions extends TransformerOptions {
  /** V of the decoder. Default: `vocabularySize`. */
  decoderVocabularySize?: number;
  /** Longest sequence of the decoder. Default: `maxSequenceLength`. */
  decoderMaxSequenceLength?: number;
  /** Number of blocks of the decoder. Default: `numLayers`. */
  numDecoderLayers?: number;
  /** Whether logits = hidden·embeddingsᵀ, with the decoder's embeddings. Default true. */
  tieEmbeddings?: boolean;
  /** What the model takes, in order. Default `['tokenIds', 'decoderTokenIds']`. */
  inputs?: Seq2SeqInput[];
}

const OWN = [
  'decoderVocabularySize', 'decoderMaxSequenceLength', 'numDecoderLayers', 'tieEmbeddings', 'inputs',
]; // prettier-ignore
const REQUIRED = ['tokenIds', 'decoderTokenIds'];
const OPTIONAL = [
  'paddingMask', 'positions', 'segmentIds', 'tokenTypeIds',
  'decoderPaddingMask', 'decoderPositions', 'decoderSegmentIds', 'decoderTokenTypeIds',
]; // prettier-ignore

/** Inputs of the decoder that come from the encoder. */
const FROM_ENCODER = ['encoderOutput', 'encoderPaddingMask'] as const;

/**
 * An encoder and a decoder (Vaswani et al., "Attention Is All You Need", 2017), to turn one sequence into another.
 *
 *     encoder:  x = embedding(tokenIds) (+ position);          x = block(x), numLayers times
 *     decoder:  y = embedding(decoderTokenIds) (+ position);   y = block(y, x), numDecoderLayers times
 *               logits = norm(y)·embeddingsᵀ
 *
 * Each block of the decoder looks at its own past and, by cross-attention, at the whole output of the encoder.
 *
 * Inputs: `tokenIds` [B, S] and `decoderTokenIds` [B, T] (int32), and what `inputs` names. `paddingMask` [B, S], or `padId`,
 * hides tokens of the encoder's from both halves; `decoderPaddingMask` [B, T] tokens of the decoder's. With `segmentIds` and
 * `decoderSegmentIds` a token sees only the tokens of its own document, in both sequences. Output: logits [B, T, V].
 *
 * The model holds two models, `model.getLayer('encoder')` and `model.getLayer('decoder')`, which it also holds after
 * loading, so that the encoder has to run only once. The encoder returns [B, S, D] and, when it knows padding, a mask
 * [B, S]; the decoder takes `tokenIds`, what the encoder returned, and its other inputs:
 *
 *     const encoded = [encoder.apply(tokenIds, { training: false })].flat();
 *     const logits = decoder.apply([decoderTokenIds, ...encoded], { cache, training: false });
 *
 * With a cache the keys and values of the encoder's output are projected once too. Weights: those of `causalLM`, with
 * `encoder_` and `decoder_` in front, and `cross_attention/…` in the decoder's blocks.
 *
 * @param options See `Seq2SeqOptions`.
 * @returns An ordinary `tf.LayersModel`.
 * @throws Error when an option is missing, unknown, or does not fit the others.
 */
export function seq2seq(options: Seq2SeqOptions): tfl.LayersModel {
  const where = 'seq2seq';
  checkTransformerOptions(where, options, OWN);
  for (const name of OWN.slice(0, 3) as (keyof Seq2SeqOptions)[]) {
    if (options[name] !== undefined) assertInteger(where, name, options[name]);
  }
  const names = options.inputs ?? (REQUIRED as Seq2SeqInput[]);
  checkInputs(where, names, options, REQUIRED, OPTIONAL);
  const ofDecoder = names.filter((name) => name.startsWith('decoder'));
  const ofEncoder = names.filter((name) => !name.startsWith('decoder')) as ModelInput[];

  const parts = new ModelParts(options, 'encoder_');
  const encoder = encoderOf(parts, ofEncoder);
  const decoder = decoderOf(options, parts.seeds, encoder, {
    names: ofDecoder.map((name) => plainName(name)),
    segments: names.includes('segmentIds') && names.includes('decoderSegmentIds'),
  });

  const inputs = parts.inputs(names);
  const source = ofEncoder.map((name) => inputs[name]);
  const encoded = [encoder.apply(source) as tfl.SymbolicTensor | tfl.SymbolicTensor[]].flat();
  const fed = decoder.inputNames.map((name) => {
    const at = (FROM_ENCODER as readonly string[]).indexOf(name);
    if (at >= 0) return encoded[at];
    if (name === 'encoderSegmentIds') return inputs.segmentIds;
    return inputs[ofDecoder.find((given) => plainName(given) === name)!];
  });
  return tfl.model({
    inputs: names.map((name) => inputs[name]),
    outputs: decoder.apply(fed) as tfl.SymbolicTensor,
    ...(options.name ? { name: options.name } : {}),
  });
}

/** `decoderTokenIds` → `tokenIds`: within the decoder they are its own. */
function plainName(name: string): ModelInput {
  const plain = name.slice('decoder'.length);
  return (plain.charAt(0).toLowerCase() + plain.slice(1)) as ModelInput;
}

function encoderOf(parts: ModelParts, names: ModelInput[]): tfl.LayersModel {
  const inputs = parts.inputs(names);
  const embedded = parts.embedded(parts.tokenEmbedding(), inputs);
  const padding = parts.padding(inputs);
  const x = parts.stacked(embedded, inputs, { causal: false, padding });
  const masks = Object.values(padding) as tfl.SymbolicTensor[];
  const outputs = [x];
  if (masks.length > 0) outputs.push(sharedMask(masks));
  return tfl.model({ name: 'encoder', inputs: names.map((name) => inputs[name]), outputs });
}

/** The one mask [B, S] of keys that the decoder is given. */
function sharedMask(masks: tfl.SymbolicTensor[]): tfl.SymbolicTensor {
  const all = masks.length === 1 ? masks[0] : andMask({ name: 'encoder_masks' }).apply(masks);
  const flat = tfl.layers.reshape({ name: 'encoder_real_tokens', targetShape: [-1] });
  return flat.apply(all) as tfl.SymbolicTensor;
}

function decoderOf(
  options: Seq2SeqOptions,
  seeds: () => number | undefined,
  encoder: tfl.LayersModel,
  { names, segments }: { names: ModelInput[]; segments: boolean },
): tfl.LayersModel {
  const { tieEmbeddings = true } = options;
  const own = {
    ...options,
    vocabularySize: options.decoderVocabularySize ?? options.vocabularySize,
    maxSequenceLength: options.decoderMaxSequenceLength ?? options.maxSequenceLength,
    numLayers: options.numDecoderLayers ?? options.numLayers,
    padId: undefined,
  };
  const parts = new ModelParts(own, 'decoder_', seeds);
  const inputs: ModelInputs = parts.inputs(names);
  const [tokenIds, ...others] = ['tokenIds', ...names.filter((name) => name !== 'tokenIds')];
  const extra: Record<string, tfl.SymbolicTensor> = {
    encoderOutput: tfl.input({ name: 'encoderOutput', shape: [null, options.hiddenDim] }),
  };
  if (encoder.outputs.length > 1) {
    extra.encoderPaddingMask = tfl.input({ name: 'encoderPaddingMask', shape: [null] });
  }
  if (segments) {
    extra.encoderSegmentIds = tfl.input({
      name: 'encoderSegmentIds',
      shape: [null],
      dtype: 'int32',
    });
  }
  const { encoderOutput, ...ofEncoder } = extra;
  const embedding = parts.tokenEmbedding();
  const hidden = parts.stacked(parts.embedded(embedding, inputs), inputs, {
    causal: true,
    padding: parts.padding(inputs),
    encoder: { encoderSequence: encoderOutput, ...ofEncoder },
  });
  const head = tieEmbeddings
    ? embedding
    : dense({
        name: 'lm_head',
        units: own.vocabularySize,
        useBias: false,
        kernelInitializer: parts.weights(),
        lastPositionOnly: true,
      });
  const all = { ...inputs, ...extra } as Record<string, tfl.SymbolicTensor>;
  const order = [tokenIds, ...FROM_ENCODER, ...others, 'encoderSegmentIds'];
  return tfl.model({
    name: 'decoder',
    inputs: order.filter((name) => name in all).map((name) => all[name]),
    outputs: head.apply(hidden) as tfl.SymbolicTensor,
  });
}
