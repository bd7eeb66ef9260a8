/** Which class of Keras computes what a layer of JavaScript computes, and which options become which. */

/** How a call is written in Python. */
export type CallForm =
  /** One tensor, the first argument. */
  | 'one'
  /** A list of tensors, the first argument. */
  | 'list'
  /** Tensors with names, listed in `arguments`. */
  | 'named';

/** The way of a class back to Keras. */
export interface Counterpart {
  /** Class in Keras, or in keras-hub. */
  readonly keras: string;
  /** Whether the class is keras-hub's. */
  readonly hub?: boolean;
  /** Names of its options in Python; others must be unused. */
  readonly options: readonly string[];
  /** Options with another name in JavaScript (snake case). */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Options that say nothing about the result. */
  readonly ignored?: readonly string[];
  /** Options that are supported only with one of these values. */
  readonly only?: Readonly<Record<string, readonly unknown[]>>;
  /** How it is called. */
  readonly call: CallForm;
  /** Tensor arguments: their place (a number) or name in Python. */
  readonly arguments?: Readonly<Record<string, number | string>>;
  /** Flags of the call, by their name in Python. */
  readonly flags?: Readonly<Record<string, string>>;
}

const words = (text: string): string[] => text.split(' ');

const KERNEL = words(
  'use_bias kernel_initializer bias_initializer kernel_regularizer bias_regularizer kernel_constraint bias_constraint',
);
const CONVOLUTION = [
  ...words('filters kernel_size strides padding data_format dilation_rate activation'),
  ...KERNEL,
];
const POOLING = words('pool_size strides padding data_format');
const RECURRENT = [
  ...words(
    'units activation recurrent_activation recurrent_initializer recurrent_regularizer recurrent_constraint',
  ),
  ...words('dropout recurrent_dropout return_sequences return_state go_backwards stateful unroll'),
  ...KERNEL,
];
const NORMALIZATION = words('epsilon center scale beta_initializer gamma_initializer beta_regularizer gamma_regularizer beta_constraint gamma_constraint'); // prettier-ignore
const EMBEDDING = words('input_dim output_dim embeddings_initializer embeddings_regularizer embeddings_constraint'); // prettier-ignore

const simple = (keras: string, options = ''): Counterpart => ({
  keras,
  options: options === '' ? [] : words(options),
  call: 'one',
});
const merge = (keras: string, options = ''): Counterpart => ({
  ...simple(keras, options),
  call: 'list',
});
const recurrent = (keras: string, more: string[] = []): Counterpart => ({
  keras,
  options: [...RECURRENT, ...more],
  ignored: ['implementation', 'cell', 'num_constants', 'input_dim', 'input_length'],
  call: 'one',
});

const ATTENTION_FLAGS = {
  useCausalMask: 'use_causal_mask',
  returnAttentionScores: 'return_attention_scores',
};
const PROJECTED: Omit<Counterpart, 'keras'> = {
  options: [
    ...words(
      'dropout use_gate sliding_window seed num_heads key_dim value_dim output_shape attention_axes',
    ),
    ...words('head_dim num_query_heads num_key_value_heads'),
    ...KERNEL,
  ],
  // Where a query sees nothing, Keras gives what it gives.
  ignored: ['empty_rows'],
  call: 'named',
  arguments: {
    query: 0, value: 1, key: 'key', queryMask: 'query_mask', valueMask: 'value_mask', keyMask: 'key_mask', paddingMask: 'value_mask',
    attentionMask: 'attention_mask',
  }, // prettier-ignore
  flags: ATTENTION_FLAGS,
};
const LISTED: Omit<Counterpart, 'keras'> = {
  options: words('use_scale score_mode dropout seed'),
  call: 'named',
  arguments: { query: '[0]', value: '[1]', key: '[2]', queryMask: 'mask[0]', valueMask: 'mask[1]' },
  flags: ATTENTION_FLAGS,
};
const BLOCK = words('intermediate_dim num_heads dropout activation layer_norm_epsilon kernel_initializer bias_initializer normalize_first'); // prettier-ignore

/** By the class name of the layer in JavaScript. */
export const COUNTERPARTS: Readonly<Record<string, Counterpart>> = {
  // TensorFlow.js
  Dense: {
    keras: 'Dense',
    options: ['units', 'activation', ...KERNEL],
    ignored: ['input_dim'],
    call: 'one',
  },
  Embedding: {
    keras: 'Embedding',
    options: EMBEDDING,
    ignored: ['mask_zero', 'input_length'],
    call: 'one',
  },
  Activation: simple('Activation', 'activation'),
  ReLU: simple('ReLU', 'max_value'),
  LeakyReLU: { ...simple('LeakyReLU', 'negative_slope'), renamed: { alpha: 'negative_slope' } },
  ELU: simple('ELU', 'alpha'),
  PReLU: simple('PReLU', 'alpha_initializer alpha_regularizer alpha_constraint shared_axes'),
  Softmax: simple('Softmax', 'axis'),
  Dropout: simple('Dropout', 'rate noise_shape seed'),
  SpatialDropout1D: simple('SpatialDropout1D', 'rate seed'),
  GaussianNoise: simple('GaussianNoise', 'stddev'),
  GaussianDropout: simple('GaussianDropout', 'rate'),
  AlphaDropout: { ...simple('AlphaDropout', 'rate'), ignored: ['noise_shape'] },
  Flatten: simple('Flatten', 'data_format'),
  Reshape: simple('Reshape', 'target_shape'),
  Permute: simple('Permute', 'dims'),
  RepeatVector: simple('RepeatVector', 'n'),
  Masking: simple('Masking', 'mask_value'),
  Rescaling: simple('Rescaling', 'scale offset'),
  Add: merge('Add'),
  Multiply: merge('Multiply'),
  Average: merge('Average'),
  Maximum: merge('Maximum'),
  Minimum: merge('Minimum'),
  Concatenate: merge('Concatenate', 'axis'),
  Dot: merge('Dot', 'axes normalize'),
  Conv1D: { keras: 'Conv1D', options: CONVOLUTION, call: 'one' },
  Conv2D: { keras: 'Conv2D', options: CONVOLUTION, call: 'one' },
  Conv3D: { keras: 'Conv3D', options: CONVOLUTION, call: 'one' },
  Conv2DTranspose: { keras: 'Conv2DTranspose', options: CONVOLUTION, call: 'one' },
  DepthwiseConv2D: {
    keras: 'DepthwiseConv2D',
    options: [
      ...CONVOLUTION,
      ...words('depth_multiplier depthwise_initializer depthwise_regularizer depthwise_constraint'),
    ],
    call: 'one',
  },
  SeparableConv2D: {
    keras: 'SeparableConv2D',
    options: [
      ...CONVOLUTION,
      ...words('depth_multiplier depthwise_initializer depthwise_regularizer depthwise_constraint'),
      ...words('pointwise_initializer pointwise_regularizer pointwise_constraint'),
    ],
    call: 'one',
  },
  MaxPooling1D: { keras: 'MaxPooling1D', options: POOLING, call: 'one' },
  MaxPooling2D: { keras: 'MaxPooling2D', options: POOLING, call: 'one' },
  AveragePooling1D: { keras: 'AveragePooling1D', options: POOLING, call: 'one' },
  AveragePooling2D: { keras: 'AveragePooling2D', options: POOLING, call: 'one' },
  GlobalMaxPooling1D: simple('GlobalMaxPooling1D', 'data_format'),
  GlobalMaxPooling2D: simple('GlobalMaxPooling2D', 'data_format'),
  GlobalAveragePooling1D: simple('GlobalAveragePooling1D', 'data_format'),
  GlobalAveragePooling2D: simple('GlobalAveragePooling2D', 'data_format'),
  UpSampling2D: simple('UpSampling2D', 'size data_format interpolation'),
  ZeroPadding2D: simple('ZeroPadding2D', 'padding data_format'),
  BatchNormalization: {
    keras: 'BatchNormalization',
    options: [
      ...NORMALIZATION,
      ...words('axis momentum moving_mean_initializer moving_variance_initializer'),
    ],
    call: 'one',
  },
  LayerNormalization: {
    keras: 'LayerNormalization',
    options: [...NORMALIZATION, 'axis'],
    call: 'one',
  },
  LSTM: recurrent('LSTM', ['unit_forget_bias']),
  GRU: { ...recurrent('GRU', ['reset_after']), only: { reset_after: [false, null] } },
  SimpleRNN: recurrent('SimpleRNN'),
  // ours
  FusedDense: {
    keras: 'Dense',
    options: ['units', 'activation', ...KERNEL],
    only: { last_position_only: [false] },
    call: 'one',
  },
  FusedEmbedding: { keras: 'Embedding', options: EMBEDDING, call: 'one' },
  FusedLayerNormalization: {
    keras: 'LayerNormalization',
    options: [...NORMALIZATION, 'axis'],
    call: 'one',
  },
  SeededDropout: simple('Dropout', 'rate seed'),
  RMSNormalization: simple('RMSNormalization', 'axis epsilon'),
  EinsumDense: {
    keras: 'EinsumDense',
    options: ['equation', 'output_shape', 'activation', 'bias_axes', ...KERNEL],
    ignored: ['use_bias'],
    call: 'one',
  },
  ReversibleEmbedding: {
    keras: 'ReversibleEmbedding',
    options: [...EMBEDDING, 'tie_weights', 'logit_soft_cap'],
    ignored: ['mask_zero'],
    call: 'one',
  },
  MultiHeadAttention: { keras: 'MultiHeadAttention', ...PROJECTED },
  GroupQueryAttention: {
    keras: 'GroupQueryAttention',
    ...PROJECTED,
    ignored: ['value_dim', 'key_dim', 'num_heads', 'empty_rows'],
  },
  Attention: { keras: 'Attention', ...LISTED },
  AdditiveAttention: { keras: 'AdditiveAttention', ...LISTED },
  MaskedGlobalAveragePooling1D: {
    keras: 'GlobalAveragePooling1D',
    options: [],
    call: 'named',
    arguments: { inputs: 0, paddingMask: 'mask' },
  },
  TransformerEncoder: {
    keras: 'TransformerEncoder',
    hub: true,
    options: BLOCK,
    call: 'named',
    arguments: {
      query: 0,
      paddingMask: 'padding_mask',
      keyMask: 'padding_mask',
      attentionMask: 'attention_mask',
    },
    flags: { returnAttentionScores: 'return_attention_scores' },
  },
  TransformerDecoder: {
    keras: 'TransformerDecoder',
    hub: true,
    options: [...BLOCK, 'decoder_sequence_shape', 'encoder_sequence_shape'],
    call: 'named',
    arguments: {
      query: 0, encoderSequence: 1, paddingMask: 'decoder_padding_mask', attentionMask: 'decoder_attention_mask',
      encoderPaddingMask: 'encoder_padding_mask', encoderAttentionMask: 'encoder_attention_mask',
    }, // prettier-ignore
    flags: { useCausalMask: 'use_causal_mask' },
  },
  TokenAndPositionEmbedding: {
    keras: 'TokenAndPositionEmbedding',
    hub: true,
    options: words(
      'vocabulary_size sequence_length embedding_dim tie_weights embeddings_initializer',
    ),
    ignored: ['mask_zero'],
    call: 'one',
  },
  PositionEmbedding: {
    ...simple('PositionEmbedding', 'sequence_length initializer'),
    hub: true,
    call: 'named',
    arguments: { inputs: 0, positions: 'positions' },
  },
  SinePositionEncoding: {
    ...simple('SinePositionEncoding', 'max_wavelength'),
    hub: true,
    call: 'named',
    arguments: { inputs: 0, positions: 'positions' },
  },
  RotaryEmbedding: {
    ...simple(
      'RotaryEmbedding',
      'max_wavelength scaling_factor sequence_axis feature_axis rope_type denominator_dim',
    ),
    hub: true,
    call: 'named',
    arguments: { inputs: 0, positions: 'positions' },
  },
  AlibiBias: { ...simple('AlibiBias', 'alibi_bias_max'), hub: true },
};
