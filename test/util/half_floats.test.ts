import * as tf from '@tensorflow/tfjs';
import { embeddingLookup } from '../../src/ops/embedding_lookup.js';
import { sparseSoftmaxCrossEntropy } from '../../src/ops/sparse_softmax_cross_entropy.js';
import { toTensors } from '../../src/training/dataset.js';
import { assertExactIntegers, storesHalfFloats } from '../../src/util/half_floats.js';
import { assertTokenIds } from '../../src/util/token_ids.js';

// No shader runs here: a stand-in of that name is enough to ask about the flags, which the union package registers.
beforeAll(async () => {
  await tf.setBackend('cpu');
  const stored = tf.backend();
  tf.registerBackend('webgl', () => stored);
  expect(await tf.setBackend('webgl')).toBe(true);
  tf.env().set('WEBGL_RENDER_FLOAT32_ENABLED', true);
});
beforeEach(() => tf.env().set('WEBGL_FORCE_F16_TEXTURES', true));
afterAll(() => tf.setBackend('cpu'));

const rule = (what: string, largest: number): string =>
  `this device's WebGL stores 16-bit floats, which tell ${what} apart only up to 2048, ` +
  `got ${what} up to ${largest}. Use another backend, 'webgpu' or 'wasm'.`;

describe('where WebGL stores 16-bit floats', () => {
  test('it is known from the flags, and only of webgl', async () => {
    expect(storesHalfFloats()).toBe(true);
    tf.env().set('WEBGL_FORCE_F16_TEXTURES', false);
    expect(storesHalfFloats()).toBe(false);
    tf.env().set('WEBGL_FORCE_F16_TEXTURES', true);
    await tf.setBackend('cpu');
    expect(storesHalfFloats()).toBe(false);
    await tf.setBackend('webgl');
  });

  test('integers above 2,048 are refused, there only', () => {
    assertExactIntegers('f', 'rows', 2048);
    expect(() => assertExactIntegers('f', 'rows', 2049)).toThrow(`f: ${rule('rows', 2049)}`);
    tf.env().set('WEBGL_FORCE_F16_TEXTURES', false);
    assertExactIntegers('f', 'rows', 1e6);
  });

  test('so are token ids in prompts and in datasets', () => {
    assertTokenIds('generate', [[2048], [7]], 50257);
    expect(() => assertTokenIds('generate', [[1], [7, 2050]], 50257)).toThrow(
      `generate: ${rule('token ids', 2050)}`,
    );
    const ids = { values: Int32Array.of(5, 2050), shape: [1, 2], dtype: 'int32' as const };
    const label = { values: Int32Array.of(5), shape: [1], dtype: 'int32' as const };
    expect(() => toTensors({ inputs: { tokenIds: ids }, labels: label })).toThrow(
      `dataset: ${rule('tokenIds', 2050)}`,
    );
    expect(() => toTensors({ inputs: { tokenIds: label }, labels: ids })).toThrow(
      `dataset: ${rule('labels', 2050)}`,
    );
  });

  test('so are tables and logits with more entries, because ids on the device cannot be seen', () => {
    const id = tf.tensor1d([1], 'int32');
    expect(() => embeddingLookup(tf.zeros([2050, 1]), id)).toThrow(
      `embeddingLookup: ${rule('ids', 2049)}`,
    );
    expect(() => sparseSoftmaxCrossEntropy(tf.zeros([1, 2050]), id)).toThrow(
      `sparseSoftmaxCrossEntropy: ${rule('labels', 2049)}`,
    );
  });
});
