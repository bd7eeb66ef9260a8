/** Ordinary layers of Keras. */
import * as tfl from '@tensorflow/tfjs-layers';
import {
  Dense,
  Dropout,
  EinsumDense,
  Embedding,
  GlobalAveragePooling1D,
  LayerNormalization,
  ReversibleEmbedding,
  RMSNormalization,
  type DenseArgs,
  type DropoutArgs,
  type EinsumDenseArgs,
  type EmbeddingArgs,
  type ReversibleEmbeddingArgs,
} from '../../layers/index.js';
import { activationNames } from '../../ops/activation.js';
import { flows } from './attention_entries.js';
import {
  flagAt,
  flowAt,
  required,
  sharing,
  type Flow,
  type LayerCall,
  type LayerEntry,
} from './layer_entry.js';

type Options = Readonly<Record<string, unknown>>;

/** The arguments of a call with one tensor. */
export const ONE: LayerEntry['call'] = { inputs: 'tensor', training: 'unused' };

const NORM_OPTIONS = [
  'axis', 'epsilon', 'center', 'scale', 'beta_initializer', 'gamma_initializer', 'beta_regularizer', 'gamma_regularizer',
  'beta_constraint', 'gamma_constraint',
]; // prettier-ignore

const DENSE_OPTIONS = [
  'units', 'activation', 'use_bias', 'kernel_initializer', 'bias_initializer', 'kernel_regularizer', 'bias_regularizer',
  'kernel_constraint', 'bias_constraint',
]; // prettier-ignore

/** Ours, whose gradients are fast everywhere; TensorFlow.js' own where only it has the activation or the constraint. */
function makeDense(options: Options): tfl.layers.Layer {
  const { kernelConstraint, biasConstraint, activation } = options;
  const constrained = kernelConstraint !== undefined || biasConstraint !== undefined;
  if (constrained || !(activationNames as readonly unknown[]).includes(activation ?? 'linear')) {
    return tfl.layers.dense(options as unknown as Parameters<typeof tfl.layers.dense>[0]);
  }
  return new Dense(options as unknown as DenseArgs);
}

/** Rows of a table; `mask_zero` puts a mask beside them. */
function applyEmbedding(layer: tfl.layers.Layer | null, call: LayerCall): Flow[] {
  const { tensor } = required(call, 'inputs');
  const mask =
    call.source.config.mask_zero === true ? ({ kind: 'ids', of: tensor, value: 0 } as const) : null;
  return flows(layer!.apply(tensor), mask);
}

/** The same, or the projection back, in which there is no mask. */
function applyReversible(layer: tfl.layers.Layer | null, call: LayerCall): Flow[] {
  if (!flagAt(call, 'reverse')) return applyEmbedding(layer, call);
  return flows(layer!.apply(required(call, 'inputs').tensor, { reverse: true }), null);
}

/** The mean over the steps that are not masked. */
function applyAverage(layer: tfl.layers.Layer | null, call: LayerCall): Flow[] {
  const { tensor, mask } = required(call, 'inputs');
  const explicit = flowAt(call, 'mask')?.tensor;
  const paddingMask = explicit ?? (mask && call.context.maskTensor(mask));
  const named: Record<string, tfl.SymbolicTensor> = paddingMask ? { paddingMask } : {};
  const [output] = call.context.callNamed(layer!, ['inputs', tensor], named);
  const kept = call.source.config.keepdims === true;
  const shaped = kept
    ? call.context.operator(`${call.source.name}_steps`, 'expandDims', [output, 1])
    : [output];
  return [{ tensor: shaped[0], mask: null }];
}

/** Zeroes masked steps, and marks them. */
function applyMasking(_: tfl.layers.Layer | null, call: LayerCall): Flow[] {
  const { tensor } = required(call, 'inputs');
  const value = (call.source.config.mask_value ?? 0) as number;
  const { context, source } = call;
  const [differs] = context.operator(`${source.name}_differs`, 'notEqual', [tensor, value]);
  const [real] = context.operator(`${source.name}_real`, 'any', [differs, -1, true]);
  const [output] = context.operator(source.name, 'where', [real, tensor, 0]);
  return [{ tensor: output, mask: { kind: 'features', of: tensor, value } }];
}

/** A layer that is an operator of one tensor. */
function asOperator(
  op: string,
  operands: (
    call: LayerCall,
  ) => readonly (number | boolean | null | (number | null)[])[] = () => [],
  mask: 'kept' | 'dropped' = 'kept',
): LayerEntry['apply'] {
  return (_, call) => {
    const { tensor, mask: beside } = required(call, 'inputs');
    const [output] = call.context.operator(call.source.name, op, [tensor, ...operands(call)]);
    return [{ tensor: output, mask: mask === 'kept' ? beside : null }];
  };
}

/** softmax that a mask of the inputs' rank keeps to what it leaves. */
function applySoftmax(_: tfl.layers.Layer | null, call: LayerCall): Flow[] {
  const { tensor, mask: beside } = required(call, 'inputs');
  const explicit = flowAt(call, 'mask')?.tensor;
  const implied = beside && tensor.shape.length === 2 ? call.context.maskTensor(beside) : null;
  const mask = explicit ?? implied;
  const axis = (call.source.config.axis ?? -1) as number;
  const operands = mask ? [tensor, axis, mask] : [tensor, axis];
  const [output] = call.context.operator(call.source.name, 'softmax', operands);
  return [{ tensor: output, mask: beside }];
}

const option =
  (name: string, fallback: number | null) =>
  ({ source }: LayerCall): number | null =>
    (source.config[name] ?? fallback) as number | null;

/** Ordinary layers by class. */
export const CORE: Readonly<Record<string, LayerEntry>> = {
  Dense: {
    call: ONE,
    options: { taken: DENSE_OPTIONS },
    activations: 'either',
    make: makeDense,
    mask: 'kept',
  },
  EinsumDense: {
    call: ONE,
    options: {
      taken: [
        'equation', 'output_shape', 'activation', 'bias_axes', 'kernel_initializer', 'bias_initializer', 'kernel_regularizer',
        'bias_regularizer',
      ], // prettier-ignore
      only: { kernel_constraint: [null], bias_constraint: [null] },
    },
    activations: 'ours',
    make: (options) => new EinsumDense(options as unknown as EinsumDenseArgs),
  },
  Embedding: {
    call: ONE,
    options: {
      taken: [
        'input_dim', 'output_dim', 'embeddings_initializer', 'embeddings_regularizer', 'embeddings_constraint',
      ], // prettier-ignore
      ignored: ['mask_zero'],
    },
    make: (options) => new Embedding(options as unknown as EmbeddingArgs),
    apply: applyEmbedding,
  },
  ReversibleEmbedding: {
    call: { inputs: 'tensor', reverse: 'flag' },
    options: {
      taken: [
        'input_dim', 'output_dim', 'tie_weights', 'embeddings_initializer', 'embeddings_regularizer', 'embeddings_constraint',
        'logit_soft_cap',
      ], // prettier-ignore
      ignored: ['mask_zero'],
      only: { reverse_dtype: [null, 'float32'] },
    },
    make: (options) => new ReversibleEmbedding(options as unknown as ReversibleEmbeddingArgs),
    apply: applyReversible,
  },
  LayerNormalization: {
    call: ONE,
    options: { taken: NORM_OPTIONS, only: { rms_scaling: [false] } },
    make: (options) => new LayerNormalization(options),
    mask: 'kept',
  },
  RMSNormalization: {
    call: ONE,
    options: { taken: ['axis', 'epsilon'], ignored: ['input_dim'] },
    make: (options) => new RMSNormalization(options),
  },
  Dropout: {
    call: ONE,
    options: { taken: ['rate'], only: { noise_shape: [null] } },
    make: (options) => new Dropout(options as unknown as DropoutArgs),
    mask: 'shared',
  },
  GlobalAveragePooling1D: {
    call: { inputs: 'tensor', mask: 'optional' },
    options: { ignored: ['keepdims'], only: { data_format: ['channels_last', null] } },
    make: (options) => new GlobalAveragePooling1D(options),
    apply: applyAverage,
  },
  Masking: { call: ONE, options: { ignored: ['mask_value'] }, apply: applyMasking },
  Softmax: {
    call: { inputs: 'tensor', mask: 'optional' },
    options: { ignored: ['axis'] },
    apply: applySoftmax,
  },
  ReLU: {
    call: ONE,
    options: { ignored: ['max_value', 'negative_slope', 'threshold'] },
    apply: asOperator('reluWith', (call) => [
      option('negative_slope', 0)(call),
      option('max_value', null)(call),
      option('threshold', 0)(call),
    ]),
  },
  LeakyReLU: {
    call: ONE,
    options: { ignored: ['negative_slope', 'alpha'] },
    apply: asOperator('leakyRelu', (call) => [
      option('negative_slope', option('alpha', 0.3)(call))(call),
    ]),
  },
  ELU: {
    call: ONE,
    options: { ignored: ['alpha'] },
    apply: asOperator('elu', (call) => [option('alpha', 1)(call)]),
  },
  Activation: {
    call: ONE,
    options: { taken: ['activation'] },
    activations: 'tfjs',
    make: (options) =>
      tfl.layers.activation(options as unknown as Parameters<typeof tfl.layers.activation>[0]),
    mask: 'kept',
  },
  UnitNormalization: {
    call: ONE,
    options: { ignored: ['axis'] },
    apply: asOperator('normalize', ({ source }) => [
      (source.config.axis ?? -1) as number,
      2,
      1e-12,
    ]),
  },
  Identity: {
    call: ONE,
    options: {},
    apply: (_, call) => {
      const inputs = required(call, 'inputs');
      const [output] = call.context.operator(call.source.name, 'identity', [inputs.tensor]);
      return [sharing(output, inputs)];
    },
  },
  Flatten: {
    call: ONE,
    options: { only: { data_format: ['channels_last', null] } },
    make: (options) => tfl.layers.flatten(options),
  },
  Reshape: {
    call: ONE,
    options: { ignored: ['target_shape'] },
    apply: asOperator(
      'reshapeRows',
      ({ source }) => [source.config.target_shape as number[]],
      'dropped',
    ),
  },
  Permute: {
    call: ONE,
    options: { ignored: ['dims'] },
    apply: asOperator(
      'transpose',
      ({ source }) => [[0, ...(source.config.dims as number[])]],
      'dropped',
    ),
  },
  RepeatVector: {
    call: ONE,
    options: { taken: ['n'] },
    make: (options) =>
      tfl.layers.repeatVector(options as unknown as Parameters<typeof tfl.layers.repeatVector>[0]),
  },
  Rescaling: {
    call: ONE,
    options: { ignored: ['scale', 'offset'] },
    problems: ({ scale, offset }) =>
      [scale, offset].every((value) => (value ?? null) === null || typeof value === 'number')
        ? []
        : ['scale or offset that is no number'],
    apply: (_, call) => {
      const { tensor, mask } = required(call, 'inputs');
      const { scale = 1, offset = 0 } = call.source.config;
      const { context, source } = call;
      const [scaled] = context.operator(`${source.name}_scaled`, 'multiply', [
        tensor,
        scale as number,
      ]);
      const [output] = context.operator(source.name, 'add', [scaled, offset as number]);
      return [{ tensor: output, mask }];
    },
  },
};
