/** Tests that a page cannot pass or has no time for, by name, each with the reason. Everything else must pass. */

/** Why some tests are exceptions on some backends. */
export interface Deviation {
  backends: string[];
  /** Full names of tests without ` [backend]`; where files are left out, their paths or folders. */
  tests: string[];
  reason: string;
}

const HALF = ['webgl-f16'];
const ALL = ['webgl', 'webgl-f16', 'webgpu'];

/** Must fail: one that passes is reported, so that this list stays true. */
export const expectedFailures: Deviation[] = [
  {
    backends: ['webgpu'],
    tests: [
      'Keras models from a File keras_models_more masking_layer.keras',
      'Keras models from a File keras_models_more sequential_recurrent.keras',
      'Keras models from a File keras_models_more sequential_recurrent.h5',
    ],
    reason:
      'TensorFlow.js transposes the mask in its recurrent layers; that shader does not compile',
  },
  {
    backends: ALL,
    tests: ['masks by their definition integer ids are told apart exactly, next to the largest'],
    reason: 'shaders compare integers as floats: exact to 2^24, with 16-bit textures to 2,048',
  },
  {
    backends: ['webgl'],
    tests: ['layerNorm a constant row gives beta, not NaN'],
    reason:
      'the mean of equal numbers is off by a rounding here, which 1/sqrt(epsilon) makes 1.5e-4',
  },
  {
    backends: ['webgpu'],
    tests: [
      'reversibleEmbedding maskZero hands a mask on to layers of TensorFlow.js',
      'tokenAndPositionEmbedding in tf.sequential with a mask for TensorFlow.js, saved and loaded',
      'masks that TensorFlow.js keeps beside tensors layers of TensorFlow.js behind ours get the mask, and layers without steps end it',
      'maskedSequence keeps state and output over masked steps, in models that come back from saving',
      'maskedSequence without a mask it is the layer, and both directions work',
    ],
    reason:
      'TensorFlow.js transposes the mask in its recurrent layers; for int32 and bool of rank 3 that shader does not compile',
  },
  {
    backends: HALF,
    tests: [
      'checkpoints of Hugging Face llama_grouped_tied: logits',
      'checkpoints of Hugging Face bert_mlm: hidden states, pooler, logits',
      'Keras models from a File keras_models_more mask_taken_in_nested.keras',
    ],
    reason: 'after that many roundings a few numbers are off by up to 0.06, not 0.02',
  },
  {
    backends: HALF,
    tests: [
      'seq2seq pre-norm, learned positions predicts, trains, saves and loads to the same bits',
      'seq2seq post-norm, sines, relu predicts, trains, saves and loads to the same bits',
      'seq2seq padding predicts, trains, saves and loads to the same bits',
    ],
    reason:
      "one step of TensorFlow.js' own optimizer is lost in the rounding of some weights; training.adamW keeps float32 ones",
  },
  {
    backends: HALF,
    tests: ['Keras models from a File keras_models_more operators_logic.keras'],
    reason: 'one of its outputs is -1e9, which becomes -3e4',
  },
  {
    backends: HALF,
    tests: ['linear with activation relu: that of the result'],
    reason: 'the long step that differences of 16-bit numbers need leads over the corner of relu',
  },
  {
    backends: HALF,
    tests: ['dropout keeps the contract of a layer'],
    reason:
      'an eager call hands on the float32 values that the host still has, predict 16-bit ones',
  },
];

/** Not run. */
export const leftOut: Deviation[] = [
  {
    backends: ['webgpu'],
    tests: [
      'test/layers/transformer_encoder.test.ts',
      'test/layers/transformer_decoder.test.ts',
      'test/models/seq2seq.test.ts',
      'test/models/sequence_classifier.test.ts',
    ],
    reason: 'more than 150 s, or 60 s a test, in software; they run on webgl',
  },
  {
    backends: ALL,
    tests: [
      'test/layers/transformer_block.test.ts',
      'test/layers/multi_head_attention.test.ts',
      'test/layers/grouped_query_attention.test.ts',
      'test/layers/all_layers.test.ts',
      'test/models/causal_lm.test.ts',
    ],
    reason:
      'differences in every weight take minutes in software; the contract suites cover these layers',
  },
];

/**
 * The deviation that covers a test or a file.
 *
 * @param list One of the lists above.
 * @param backend Name of the backend in titles.
 * @param name Full name of a test, or path of a file.
 */
export function deviationOf(
  list: Deviation[],
  backend: string,
  name: string,
): Deviation | undefined {
  const plain = name.replace(` [${backend}]`, '');
  return list.find(
    ({ backends, tests }) =>
      backends.includes(backend) &&
      tests.some((test) => test === plain || (test.endsWith('/') && plain.startsWith(test))),
  );
}
