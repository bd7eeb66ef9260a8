import * as tf from '@tensorflow/tfjs';
import { models } from 'tfjs-transformers';

const tiny = { vocabSize: 11, nPositions: 7, nEmbd: 6, nLayer: 1, nHead: 2 };
const namesOf = (model: unknown): string[] =>
  (model as tf.LayersModel).weights.map((w) => w.originalName);

describe('gpt2', () => {
  beforeAll(() => tf.setBackend('cpu'));

  test('is a causalLM, in both spellings of a configuration', () => {
    const { vocabSize, nPositions, nEmbd, nLayer, nHead } = tiny;
    const same = models.causalLM({
      vocabularySize: vocabSize,
      maxSequenceLength: nPositions,
      hiddenDim: nEmbd,
      numLayers: nLayer,
      numHeads: nHead,
    });
    const config = {
      vocab_size: 11,
      n_positions: 7,
      n_embd: 6,
      n_layer: 1,
      n_head: 2,
      n_inner: null,
      model_type: 'gpt2',
    };
    for (const model of [models.gpt2(tiny), models.gpt2(config as never)]) {
      expect(namesOf(model)).toEqual(namesOf(same));
      expect(model.getLayer('block_0').getConfig()).toMatchObject({
        intermediateDim: 24,
        activation: 'geluNew',
        normFirst: true,
        dropout: 0.1,
        attentionDropout: 0.1,
      });
    }
  });

  test('takes options of ours, and says what it cannot do', () => {
    const inputs = ['tokenIds', 'paddingMask'] as ('tokenIds' | 'paddingMask')[];
    const model = models.gpt2({ ...tiny, residPdrop: 0.2 }, { inputs, dropout: 0, name: 'mine' });
    expect([model.inputNames, model.name]).toEqual([inputs, 'mine']);
    expect(() => models.gpt2({ ...tiny, residPdrop: 0.2 })).toThrow(
      'gpt2: residPdrop and embdPdrop must be equal',
    );
    expect(() => models.gpt2({ ...tiny, scaleAttnByInverseLayerIdx: true } as never)).toThrow(
      'gpt2: scaleAttnByInverseLayerIdx must be false, got scaleAttnByInverseLayerIdx=true',
    );
    expect(() => models.gpt2({ ...tiny, n_layers: 3 } as never)).toThrow(
      "unknown option 'nLayers'",
    );
    expect(() => models.gpt2({ ...tiny, activationFunction: 'mish' })).toThrow(
      'the activation must be one of',
    );
    expect(() => models.gpt2(tiny, { pad: 3 } as never)).toThrow("unknown option 'pad'");
  });
});
