import * as tf from '@tensorflow/tfjs';
import { models } from 'tfjs-transformers';

const tiny = {
  vocabSize: 11,
  hiddenSize: 12,
  intermediateSize: 7,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
};
const rotaryOf = (config: object): unknown =>
  models
    .llama({ ...tiny, maxPositionEmbeddings: 64, ...config })
    .getLayer('block_0')
    .getConfig().rotary;

describe('llama', () => {
  beforeAll(() => tf.setBackend('cpu'));

  test('has the parts of Llama', () => {
    const model = models.llama({ ...tiny, numKeyValueHeads: 1, headDim: 4, rmsNormEps: 1e-5 });
    expect(model.getLayer('block_0').getConfig()).toMatchObject({
      numKeyValueHeads: 1,
      headDim: 4,
      normalization: 'rms',
      normEpsilon: 1e-5,
      activation: 'silu',
      gated: true,
      attentionBias: false,
      mlpBias: false,
      dropout: 0,
    });
    expect(model.weights.at(-1)!.originalName).toBe('lm_head/kernel');
    expect(() => models.llama({ ...tiny, pretrainingTp: 2 } as never)).toThrow(
      'pretrainingTp must be 1',
    );
  });

  test('reads rotary positions of versions 4 and 5', () => {
    expect(rotaryOf({})).toEqual({ maxWavelength: 10000 });
    expect(rotaryOf({ ropeTheta: 500, ropeScaling: null })).toEqual({ maxWavelength: 500 });
    const llama3 = {
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 16,
    };
    const scaling = {
      type: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositionEmbeddings: 16,
    };
    const expected = { maxWavelength: 500, scaling };
    expect(rotaryOf({ rope_theta: 500, rope_scaling: { rope_type: 'llama3', ...llama3 } })).toEqual(
      expected,
    );
    expect(
      rotaryOf({ rope_parameters: { rope_theta: 500, rope_type: 'llama3', ...llama3 } }),
    ).toEqual(expected);
    expect(rotaryOf({ ropeScaling: { type: 'linear', factor: 2 } })).toEqual({
      maxWavelength: 10000,
      scaling: { type: 'linear', factor: 2, originalMaxPositionEmbeddings: 64 },
    });
    expect(rotaryOf({ partialRotaryFactor: 0.5 })).toEqual({ maxWavelength: 10000, rotaryDim: 3 });
  });
});
