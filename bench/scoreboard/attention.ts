/** An attention layer, forward and backward, as the sequence grows: time, and memory at the height. */
import * as tf from '@tensorflow/tfjs';
import { createRequire } from 'node:module';
import { layers } from 'tfjs-transformers';
import { registerKernels, unregisterKernels } from 'tfjs-transformers/wasm';
import { peakBytes } from '../../test/support/peak_bytes.js';
import { alternate, start, type Side } from '../pairs.js';
import { cannotRun, type Effort, type Row, type Table } from './table.js';

const [WIDTH, HEADS] = [128, 4];

/** Causal self-attention with its four projections. */
type Layer = (x: tf.Tensor3D) => tf.Tensor;

interface Contestant {
  layer: Layer;
  kernels: boolean;
}

/**
 * Answers it, on wasm.
 *
 * @param effort Quick: up to 256 tokens.
 * @returns The table.
 */
export async function attention({ quick }: Effort): Promise<Table> {
  if (!(await start('wasm'))) throw new Error("Backend 'wasm' is not here.");
  const lengths = quick ? [128, 256] : [128, 512, 1024, 2048];
  const ours = layers.multiHeadAttention({
    ...{ numHeads: HEADS, keyDim: WIDTH / HEADS, useCausalMask: true },
  });
  const run: Layer = (x) => ours.apply(x, { training: true }) as tf.Tensor;
  tf.dispose(run(tf.zeros([1, 2, WIDTH])));
  const weights = new Map(
    ours.weights.map((weight) => [
      weight.originalName.split('/').slice(-2).join('/'),
      weight.read(),
    ]),
  );

  const OURS = 'ours, kernels';
  const contestants: Record<string, Contestant> = {
    [OURS]: { layer: run, kernels: true },
    'ours, without kernels': { layer: run, kernels: false },
    'composed by hand': { layer: byHand(weights), kernels: false },
  };
  const absent: Row[] = [];
  try {
    contestants['gpt-tfjs'] = { layer: gptTfjs(weights, lengths.at(-1)!), kernels: false };
  } catch (error) {
    absent.push(cannotRun('gpt-tfjs', error));
  }

  const rows: Row[] = [];
  for (const length of lengths) {
    const x = tf.randomNormal<tf.Rank.R3>([Math.max(1, 512 / length), length, WIDTH], 0, 1, 'float32', 1); // prettier-ignore
    const both = (way: string): tf.Tensor => {
      const { layer, kernels } = contestants[way];
      if (kernels) registerKernels();
      else unregisterKernels();
      return tf.tidy(() => tf.grad((input) => tf.sum(tf.square(layer(input as tf.Tensor3D))))(x));
    };
    const peaks: Record<string, number> = {};
    const sides: Record<string, Side> = {};
    let expected: Float32Array | undefined;
    for (const way of Object.keys(contestants)) {
      peaks[way] = peakBytes(() => both(way));
      const gradient = both(way);
      const values = (await gradient.data()) as Float32Array;
      gradient.dispose();
      expected ??= values;
      if (!values.every((value, i) => Math.abs(value - expected![i]) < 1e-3))
        throw new Error(`attention: the gradient of ${way} differs from ours at ${length} tokens.`);
      sides[way] = () => Promise.resolve(tf.dispose(both(way)));
    }
    const { times, ratio } = await alternate(sides, quick ? 3 : 5, 100);
    for (const way of Object.keys(contestants)) {
      rows.push({
        way: `${x.shape[0]} × ${length}: ${way}`,
        cells: [times[way], (peaks[way] / 1e6).toFixed(1)],
        ...(way === OURS ? {} : { ratio: ratio(OURS, way) }),
      });
    }
    x.dispose();
  }
  registerKernels();
  return {
    name: 'attention',
    question: 'An attention layer, forward and backward: time and memory as the sequence grows',
    notes:
      `Causal self-attention of width ${WIDTH} with ${HEADS} heads and its projections on wasm; batch × length. The gradients into its input agree ` +
      'within 1e-3. Megabytes are what the computation allocates in the memory of the backend at its height.',
    columns: ['ms', 'MB'],
    rows: [...rows, ...absent],
  };
}

/** As people write it, with plain operations. */
function byHand(weights: Map<string, tf.Tensor>): Layer {
  const size = WIDTH / HEADS;
  return (x) => {
    const [batch, length] = x.shape;
    const dense = (input: tf.Tensor, name: string): tf.Tensor =>
      tf
        .matMul(
          input.reshape([batch * length, WIDTH]),
          weights.get(`${name}/kernel`)!.reshape<tf.Tensor2D>([WIDTH, WIDTH]),
        )
        .add(weights.get(`${name}/bias`)!.reshape([WIDTH]))
        .reshape([batch, length, WIDTH]);
    const heads = (name: string): tf.Tensor =>
      dense(x, name).reshape([batch, length, HEADS, size]).transpose([0, 2, 1, 3]);
    const causal = tf.linalg.bandPart(tf.ones([length, length]), -1, 0).sub(1).mul(1e9); // prettier-ignore
    const scores = tf.matMul(heads('query'), heads('key'), false, true).div(Math.sqrt(size));
    const joined = tf
      .matMul(tf.softmax(scores.add(causal)), heads('value'))
      .transpose([0, 2, 1, 3])
      .reshape([batch, length, WIDTH]);
    return dense(joined, 'attention_output');
  };
}

/** The layer of gpt-tfjs with the same weights. */
function gptTfjs(weights: Map<string, tf.Tensor>, longest: number): Layer {
  const { model } = createRequire(import.meta.url)('gpt-tfjs') as {
    model: { CausalSelfAttention: (config: object) => tf.layers.Layer };
  };
  const layer = model.CausalSelfAttention({
    ...{ blockSize: longest, nEmbd: WIDTH, nHead: HEADS, dropout: 0, bias: true },
  });
  const run: Layer = (x) => (layer as unknown as { call: Apply }).call(x, { training: false });
  tf.dispose(layer.apply(tf.zeros([1, 2, WIDTH])) as tf.Tensor);
  const three = (kind: string, rows: number[]): tf.Tensor =>
    tf.concat(['query', 'key', 'value'].map((name) => weights.get(`${name}/${kind}`)!.reshape(rows)), -1); // prettier-ignore
  layer.setWeights([
    three('kernel', [WIDTH, WIDTH]),
    three('bias', [WIDTH]),
    weights.get('attention_output/kernel')!.reshape([WIDTH, WIDTH]),
    weights.get('attention_output/bias')!.reshape([WIDTH]),
  ]);
  return run;
}

type Apply = (x: tf.Tensor3D, kwargs: object) => tf.Tensor;
