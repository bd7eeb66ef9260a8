/** Six optimizer steps of a two-layer GPT, against PyTorch in float64. */
import * as tf from '@tensorflow/tfjs';
import { adamW } from '../../src/training/adam_w.js';
import { computeGradients } from '../../src/training/compute_gradients.js';
import type { Batch, Dataset } from '../../src/training/dataset.js';
import { fit } from '../../src/training/fit.js';
import { warmupCosine } from '../../src/training/schedules.js';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
import { loadFixtures, type FixtureCase } from '../support/fixtures.js';
import { causalLM } from '../../src/models/causal_lm.js';

/** The micro-batches of all steps, one after the other. */
function batchesOf(fixture: FixtureCase): Batch[] {
  const { shape } = fixture.array('ids');
  const [steps, micro, B, T] = shape;
  const part = (name: string, i: number): number[] =>
    Array.from(fixture.array(name).values).slice(i * B * T, (i + 1) * B * T);
  return Array.from({ length: steps * micro }, (_, i) => ({
    inputs: {
      tokenIds: { values: Int32Array.from(part('ids', i)), shape: [B, T], dtype: 'int32' },
      paddingMask: {
        values: Uint8Array.from(part('padding_mask', i)),
        shape: [B, T],
        dtype: 'bool',
      },
    },
    labels: { values: Int32Array.from(part('labels', i)), shape: [B, T], dtype: 'int32' },
  }));
}

/** Where causalLM keeps what the fixture calls a name. */
const PLACES: Record<string, string> = {
  'tok.weight': 'token_embedding/embeddings',
  'pos.weight': 'position_embedding/embeddings',
  ln: 'final_norm',
  ln1: 'self_attention_layer_norm',
  ln2: 'feedforward_layer_norm',
  query: 'self_attention/query',
  key: 'self_attention/key',
  value: 'self_attention/value',
  proj: 'self_attention/attention_output',
  fc: 'feedforward_intermediate_dense',
  out: 'feedforward_output_dense',
};

/** The weight of causalLM for a name like `blocks.0.query.weight`. */
function placeOf(name: string): string {
  if (name in PLACES) return PLACES[name];
  const parts = name.split('.');
  const [layer, kind] = parts.slice(-2);
  const keras = layer.startsWith('ln')
    ? { weight: 'gamma', bias: 'beta' }
    : { weight: 'kernel', bias: 'bias' };
  const block = parts[0] === 'blocks' ? `block_${parts[1]}/` : '';
  return `${block}${PLACES[layer]}/${keras[kind as 'weight' | 'bias']}`;
}

/** Linear weights are [out, in] in the fixture, [in, out] in the model, their heads an axis of their own. */
const isTransposed = (name: string): boolean => /(query|key|value|proj|fc|out)\.weight$/.test(name);

function toModel(name: string, value: tf.Tensor, shape: number[]): tf.Tensor {
  return tf.reshape(isTransposed(name) ? tf.transpose(value) : value, shape);
}

function toFixture(name: string, value: tf.Tensor, shape: number[]): tf.Tensor {
  return isTransposed(name)
    ? tf.transpose(tf.reshape(value, [...shape].reverse()))
    : tf.reshape(value, shape);
}

describeBackends('six steps as in PyTorch', () => {
  test.each(loadFixtures('training').map((c) => [c.name, c] as const))(
    '%s',
    async (_, fixture) => {
      const {
        model: sizes,
        optimizer: settings,
        micro_batches,
        loss_normalisation,
      } = fixture.parameters;
      const model = causalLM({
        vocabularySize: sizes.vocab,
        maxSequenceLength: sizes.context,
        hiddenDim: sizes.width,
        numLayers: sizes.layers,
        numHeads: sizes.heads,
        normEpsilon: fixture.parameters.layer_norm_epsilon,
        inputs: ['tokenIds', 'paddingMask'],
      });
      const byPlace = new Map(model.weights.map((weight) => [weight.originalName, weight]));
      const weights = Object.keys(fixture.parameters.parameters).map(
        (name) => [name, byPlace.get(placeOf(name))!] as const,
      );
      expect(new Set(weights.map(([, weight]) => weight))).toEqual(new Set(model.weights));
      for (const [name, weight] of weights) {
        const shape = weight.shape as number[];
        tf.tidy(() => {
          weight.write(toModel(name, fixture.tensor(`initial/${name}`), shape));
        });
      }
      const check = (kind: string, name: string, tensor: tf.Tensor): void =>
        tf.tidy(() => {
          const { shape } = fixture.array(`${kind}/${name}`);
          fixture.expect(`${kind}/${name}`, toFixture(name, tensor, shape));
        });

      const all = batchesOf(fixture);
      const logits = model.predict(
        ['tokenIds', 'paddingMask'].map((name) => {
          const { values, shape, dtype } = all[0].inputs[name];
          return tf.tensor(values, shape, dtype);
        }),
      ) as tf.Tensor;
      fixture.expect('step1_logits', logits);

      const lossNormalization = loss_normalisation === 'tokens' ? 'tokens' : 'batches';
      const first = computeGradients(model, all.slice(0, micro_batches), { lossNormalization });
      for (const [name, weight] of weights) {
        check('step1_gradient', name, first.gradients[weight.name]);
      }
      tf.dispose([first.loss, first.gradients]);

      const learningRate = warmupCosine({
        learningRate: settings.lr,
        warmupSteps: settings.warmup,
        totalSteps: settings.steps,
        minRatio: settings.min_lr_ratio,
      });
      const optimizer = adamW({
        learningRate,
        beta1: settings.beta1,
        beta2: settings.beta2,
        epsilon: settings.eps,
        weightDecay: settings.weight_decay,
      });
      const decayed = weights.filter(([, { name }]) => optimizer.decay(name)).map(([name]) => name);
      expect(decayed.sort()).toEqual([...fixture.parameters.decayed].sort());

      const dataset: Dataset = {
        batchesPerEpoch: all.length,
        batches: (_, from = 0) => all.slice(from),
      };
      const tokens: number[] = [];
      const history = await fit(model, dataset, {
        optimizer,
        lossNormalization,
        clipNorm: settings.clip,
        gradientAccumulation: micro_batches,
        logEvery: 1,
        onStep: (info) => {
          tokens.push(info.tokens);
          if (info.step > 1) return;
          for (const [name, weight] of weights) check('step1_weights', name, weight.read());
        },
      });
      const read = (key: 'loss' | 'gradientNorm' | 'learningRate'): tf.Tensor =>
        tf.tensor1d(history.log.map((entry) => entry[key]!));
      tf.tidy(() => {
        fixture.expect('loss', read('loss'));
        fixture.expect('gradient_norm', read('gradientNorm'));
        fixture.expect('learning_rate', read('learningRate'));
      });
      expect(tokens).toEqual(
        fixture.parameters.counted_labels.map((counts: number[]) => counts.reduce((a, b) => a + b)),
      );
      expect(history.log.filter(({ gradientNorm }) => gradientNorm! > settings.clip)).toHaveLength(
        fixture.parameters.clipped_steps,
      );
      for (const [name, weight] of weights) {
        check('final', name, weight.read());
        const { first: m, second: v } = optimizer.momentsOf(weight.name)!;
        check('final_m', name, m);
        check('final_v', name, v);
      }
      expectClose(tf.scalar(optimizer.iterations), tf.scalar(settings.steps));
      logits.dispose();
      optimizer.dispose();
      model.dispose();
    },
    300_000,
  );
});
