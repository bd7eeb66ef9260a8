/** Layers that TensorFlow.js has as Keras has them. */
import * as tfl from '@tensorflow/tfjs-layers';
import { GRUCell, MaskedSequence, type GRUCellArgs } from '../../layers/index.js';
import { assert } from '../../util/errors.js';
import { flows } from './attention_entries.js';
import { ONE } from './core_entries.js';
import {
  flowAt,
  isFlow,
  required,
  type Flow,
  type LayerCall,
  type LayerEntry,
} from './layer_entry.js';

type Options = Readonly<Record<string, unknown>>;
type Make = (options: never) => tfl.layers.Layer;

/** A layer of one tensor, made from its options as they are. */
function plain(
  make: Make,
  taken: readonly string[],
  more: Partial<LayerEntry> & Pick<LayerEntry['options'], 'only' | 'ignored'> = {},
): LayerEntry {
  const { only, ignored, ...entry } = more;
  return {
    call: ONE,
    options: { taken, only, ignored },
    make: (options) => make(options as never),
    ...entry,
  };
}

const CONV = [
  'filters', 'kernel_size', 'strides', 'padding', 'data_format', 'dilation_rate', 'activation', 'use_bias', 'kernel_initializer',
  'bias_initializer', 'kernel_regularizer', 'bias_regularizer', 'kernel_constraint', 'bias_constraint',
]; // prettier-ignore

const DEPTHWISE = [
  ...CONV, 'depth_multiplier', 'depthwise_initializer', 'depthwise_regularizer', 'depthwise_constraint',
]; // prettier-ignore

const SEPARABLE = [
  ...DEPTHWISE, 'pointwise_initializer', 'pointwise_regularizer', 'pointwise_constraint',
]; // prettier-ignore

const NORMALIZATION = [
  'axis', 'momentum', 'epsilon', 'center', 'scale', 'beta_initializer', 'gamma_initializer', 'moving_mean_initializer',
  'moving_variance_initializer', 'beta_regularizer', 'gamma_regularizer', 'beta_constraint', 'gamma_constraint',
]; // prettier-ignore

const RECURRENT = [
  'units', 'activation', 'recurrent_activation', 'use_bias', 'kernel_initializer', 'recurrent_initializer', 'bias_initializer',
  'unit_forget_bias', 'kernel_regularizer', 'recurrent_regularizer', 'bias_regularizer', 'kernel_constraint',
  'recurrent_constraint', 'bias_constraint', 'dropout', 'recurrent_dropout', 'return_sequences', 'return_state', 'go_backwards',
  'stateful', 'unroll',
]; // prettier-ignore

const POOL = ['pool_size', 'strides', 'padding', 'data_format'];
const LAST = { only: { data_format: ['channels_last', null], keepdims: [false, null] } };
const CONVOLUTION = { activations: 'tfjs', only: { groups: [1, null] } } as const;

/** A channel axis in a list, as Keras 2 writes it. */
function oneAxis(options: Options): Options {
  const { axis } = options;
  return Array.isArray(axis) && axis.length === 1
    ? { ...options, axis: axis[0] as number }
    : options;
}

/** The tensors of a recurrent call: x, and its first states. */
function sequenceOf({ values }: LayerCall): { x: Flow; states: Flow[] } {
  const [x, ...states] = [values.sequences].flat() as Flow[];
  const given = values.initial_state ?? null;
  const more = given === null ? [] : [given].flat();
  return { x, states: [...states, ...more].filter(isFlow) };
}

/** The mask of a recurrent call. */
function sequenceMask(call: LayerCall): tfl.SymbolicTensor | null {
  const explicit = flowAt(call, 'mask')?.tensor;
  const { mask } = sequenceOf(call).x;
  return explicit ?? (mask && call.context.maskTensor(mask));
}

/**
 * A sequence with zeros where it is masked.
 *
 * @param call The call that made it.
 * @param flow The sequence.
 * @param mask [B, S]
 * @returns The sequence.
 */
export function zeroed({ context, source }: LayerCall, flow: Flow, mask: tfl.SymbolicTensor): Flow {
  const [steps] = context.operator(`${source.name}_steps`, 'expandDims', [mask, -1]);
  const [tensor] = context.operator(`${source.name}_zeroed`, 'where', [steps, flow.tensor, 0]);
  return { ...flow, tensor };
}

/** Keras' GRU resets after the product, unless it says otherwise; TensorFlow.js has only the other one. */
function gru(options: Options): tfl.layers.Layer {
  const { resetAfter, units, dropout, recurrentDropout, ...others } = options;
  if (resetAfter === false) {
    const own = { ...others, units, dropout, recurrentDropout };
    return tfl.layers.gru(own as unknown as Parameters<typeof tfl.layers.gru>[0]);
  }
  assert(
    !dropout && !recurrentDropout,
    () => `${String(options.name)}: a GRU with dropout is supported only with reset_after=False.`,
  );
  const cell = new GRUCell({ ...others, units, name: 'cell' } as unknown as GRUCellArgs);
  return tfl.layers.rnn({ ...others, cell } as unknown as Parameters<typeof tfl.layers.rnn>[0]);
}

/** A recurrent layer; a mask is handed to it as a tensor. */
function recurrent(
  make: Make,
  more: Partial<LayerEntry>,
  options: readonly string[] = [],
): LayerEntry {
  return {
    call: { sequences: 'any', initial_state: 'any', mask: 'optional', training: 'unused' },
    options: {
      taken: [...RECURRENT, ...options],
      ignored: ['zero_output_for_mask'],
    },
    activations: 'tfjs',
    make: (options, call) => {
      if (!sequenceMask(call)) return make(options as never);
      const { name, ...others } = options;
      return new MaskedSequence({
        name: name as string,
        trainable: options.trainable as boolean,
        layer: make({ ...others, name: `${String(name)}_layer` } as never),
      });
    },
    apply: (layer, call) => {
      const { x, states } = sequenceOf(call);
      const paddingMask = sequenceMask(call);
      assert(
        paddingMask === null || states.length === 0,
        () =>
          `${call.source.name}: a masked sequence with initial states is not supported. ` +
          'Leave out mask_zero in Python, or the states.',
      );
      const initialState = states.map(({ tensor }) => tensor);
      const outputs = layer!.apply(
        x.tensor,
        paddingMask ? { paddingMask } : initialState.length > 0 ? { initialState } : {},
      );
      const sequence = call.options.returnSequences === true;
      const zero = paddingMask !== null && call.source.config.zero_output_for_mask === true;
      assert(
        sequence || !zero,
        () =>
          `${call.source.name}: zero_output_for_mask without return_sequences is not supported.`,
      );
      const [first, ...finals] = flows(outputs, sequence ? x.mask : null);
      return [zero ? zeroed(call, first, paddingMask) : first, ...finals];
    },
    weightPaths: (names) => names.map((_, i) => `cell/vars/${i}`),
    ...more,
  };
}

/** TensorFlow.js does not have causal padding: it becomes zeros in front. */
function conv1d(options: Options): tfl.layers.Layer {
  const padding = options.padding === 'causal' ? 'valid' : options.padding;
  const own = { ...options, padding } as unknown as Parameters<typeof tfl.layers.conv1d>[0];
  return tfl.layers.conv1d(own);
}

function applyConv1D(layer: tfl.layers.Layer | null, call: LayerCall): Flow[] {
  const { tensor } = required(call, 'inputs');
  const { kernelSize, dilationRate, padding } = call.options;
  if (padding !== 'causal') return flows(layer!.apply(tensor), null);
  const [size, dilation] = [kernelSize, dilationRate ?? 1].map((one) => [one].flat()[0] as number);
  const widths = [[0, 0], [(size - 1) * dilation, 0], [0, 0]]; // prettier-ignore
  const [padded] = call.context.operator(`${call.source.name}_padded`, 'pad', [tensor, widths]);
  return flows(layer!.apply(padded), null);
}

/** Layers of TensorFlow.js by class. */
export const TFJS: Readonly<Record<string, LayerEntry>> = {
  Conv1D: { ...plain(conv1d, CONV, CONVOLUTION), apply: applyConv1D },
  Conv2D: plain(tfl.layers.conv2d, CONV, CONVOLUTION),
  Conv3D: plain(tfl.layers.conv3d, CONV, CONVOLUTION),
  Conv2DTranspose: plain(tfl.layers.conv2dTranspose, CONV, {
    activations: 'tfjs',
    only: { groups: [1, null], output_padding: [null] },
  }),
  DepthwiseConv2D: plain(tfl.layers.depthwiseConv2d, DEPTHWISE, {
    activations: 'tfjs',
    only: { groups: [1, null], filters: [null] },
  }),
  SeparableConv2D: plain(tfl.layers.separableConv2d, SEPARABLE, CONVOLUTION),
  BatchNormalization: plain(
    (options: Options) => tfl.layers.batchNormalization(oneAxis(options)),
    NORMALIZATION,
    { mask: 'kept', only: { renorm: [false] }, ignored: ['renorm_clipping', 'renorm_momentum'] },
  ),
  SpatialDropout1D: plain(tfl.layers.spatialDropout1d, ['rate'], { mask: 'shared' }),
  GaussianNoise: plain(tfl.layers.gaussianNoise, ['stddev'], { mask: 'shared' }),
  GaussianDropout: plain(tfl.layers.gaussianDropout, ['rate'], { mask: 'shared' }),
  AlphaDropout: plain(tfl.layers.alphaDropout, ['rate'], {
    mask: 'shared',
    only: { noise_shape: [null] },
  }),
  PReLU: plain(
    tfl.layers.prelu,
    ['alpha_initializer', 'alpha_regularizer', 'alpha_constraint', 'shared_axes'],
    { mask: 'kept' },
  ),
  MaxPooling1D: plain(tfl.layers.maxPooling1d, POOL, LAST),
  MaxPooling2D: plain(tfl.layers.maxPooling2d, POOL),
  AveragePooling1D: plain(tfl.layers.averagePooling1d, POOL, LAST),
  AveragePooling2D: plain(tfl.layers.averagePooling2d, POOL),
  GlobalMaxPooling1D: plain(tfl.layers.globalMaxPooling1d, [], LAST),
  GlobalMaxPooling2D: plain(tfl.layers.globalMaxPooling2d, ['data_format'], {
    only: { keepdims: [false, null] },
  }),
  GlobalAveragePooling2D: plain(tfl.layers.globalAveragePooling2d, ['data_format'], {
    only: { keepdims: [false, null] },
  }),
  ZeroPadding2D: plain(tfl.layers.zeroPadding2d, ['padding', 'data_format']),
  Cropping2D: plain(tfl.layers.cropping2D, ['cropping', 'data_format']),
  UpSampling2D: plain(tfl.layers.upSampling2d, ['size', 'data_format', 'interpolation']),
  LSTM: recurrent(tfl.layers.lstm, {}),
  GRU: recurrent(gru, {}, ['reset_after']),
  SimpleRNN: recurrent(tfl.layers.simpleRNN, {}),
};
