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
    backends: ['webgl', 'webgpu'],
    tests: [
      'rotary keras-hub fixture rope_positions',
      'rotary offset = positions, per token and per row',
      'sinePositionEncoding startIndex, a cache and positions name the same rows',
      'Keras attention, blocks and positions rope_positions',
      'rotaryEmbedding positions come from the call, the cache or the graph',
    ],
    reason: 'sin and cos of a shader are only good to about 2^-11, which GLSL and WGSL allow',
  },
  {
    backends: ['webgpu'],
    tests: [
      'reversibleEmbedding maskZero hands a mask on to layers of TensorFlow.js',
      'tokenAndPositionEmbedding in tf.sequential with a mask for TensorFlow.js, saved and loaded',
      'masks that TensorFlow.js keeps beside tensors layers of TensorFlow.js behind ours get the mask, and layers without steps end it',
    ],
    reason:
      'TensorFlow.js transposes the mask in its recurrent layers; for int32 and bool of rank 3 that shader does not compile',
  },
  {
    backends: ['webgl'],
    tests: [
      'checkpoints of Hugging Face llama_bias: logits',
      'checkpoints of Hugging Face llama_grouped_tied: logits',
      'checkpoints of Hugging Face llama_rope_llama3: logits',
      'checkpoints of Hugging Face llama_sharded_bf16: logits',
    ],
    reason: 'the rotation of given positions is off by as much (above), and their logits by 0.002',
  },
  {
    backends: HALF,
    tests: [
      'KVCache appends, and says where the new tokens start',
      'KVCache keys of another sequence are made once and go with the rows',
    ],
    reason: 'the numbers of these tests do not fit into 16 bits',
  },
  {
    backends: HALF,
    tests: [
      'masks.largeNegative −1e9 where float32 is stored',
      'masks.toBias [The, cat, <PAD>, <PAD>] gives four rows [0, 0, −, −]',
      'masks.toBias three tokens causal give [[0,−,−],[0,0,−],[0,0,0]]',
      'masks.toBias any dtype, nonzero = may attend, whatever the number',
      'masks under gradients the gradient is that of the constant mask',
    ],
    reason: 'the additive mask is −3e4 in 16 bits, not −1e9',
  },
  {
    backends: HALF,
    tests: [
      'masks.and, masks.or truth tables, for every dtype; nonzero is true',
      'dropout keeps element i where u_i ≥ rate, scaled by 1/(1 − rate)',
      'dropout gradient: the same elements, the same scale',
      'layerNorm a large mean costs no more than its own rounding',
    ],
    reason: 'the expected numbers do not exist in 16 bits: 1e-30 is 0, 10,001 is 10,000',
  },
  {
    backends: HALF,
    tests: [
      'dotProductAttention a masked key that holds 1e+30 changes nothing, to the last bit; soft cap 20',
      'dotProductAttention a masked key that holds -3e+38 changes nothing, to the last bit; soft cap null',
      'gelu far out the value is 0 or x, the slope 0 or 1 (approximate false)',
      'gelu far out the value is 0 or x, the slope 0 or 1 (approximate true)',
      'silu far out the value is 0 or x, the slope 0 or 1, and NaN stays NaN',
      'softCap values known on paper: tanh(ln 3) = 0.8',
      'sparseSoftmaxCrossEntropy V equal logits cost ln V whatever their size',
      'sparseSoftmaxCrossEntropy removed entries (−1e9) and confident rows stay finite',
    ],
    reason: 'beyond ±65,504 nothing finite can be stored in 16 bits',
  },
  {
    backends: HALF,
    tests: ['dotProductAttention the gradient through the soft cap equals finite differences'],
    reason:
      'differences over a step of 0.01 drown in 16-bit rounding; checkDirectional takes a longer one',
  },
];

/** Not run. */
export const leftOut: Deviation[] = [
  {
    backends: HALF,
    tests: ['test/layers/', 'test/models/'],
    reason:
      'checkLayer compares in float32, with steps that drown in 16-bit rounding; the contract suites cover layers',
  },
  {
    backends: ['webgpu'],
    tests: ['test/layers/recomputed.test.ts'],
    reason: 'asks for equal bits, and what is computed again differs in the last one here',
  },
  {
    backends: ['webgpu'],
    tests: [
      'test/layers/transformer_encoder.test.ts',
      'test/layers/transformer_decoder.test.ts',
      'test/models/',
    ],
    reason: 'minutes in software; they run on webgl',
  },
  {
    backends: HALF,
    tests: ['test/training/fixtures.test.ts'],
    reason:
      "squares of gradients and AdamW's epsilon are 0 in 16 bits: models run there, but do not train",
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
