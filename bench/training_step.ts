/**
 * How long is a training step of a GPT: by our kernels, by our references, composed by hand, on tfjs-node, in PyTorch?
 * `npx tsx bench/training_step.ts [tiny|wide] [rounds]`
 *
 * PyTorch takes part where TORCH_PYTHON names a Python that has it, or python3 has it; tfjs-node where it is built.
 */
import * as tf from '@tensorflow/tfjs';
import { cpus } from 'node:os';
import { models, ops, training } from 'tfjs-transformers';
import { registerKernels, unregisterKernels } from 'tfjs-transformers/wasm';
import { ComposedGPT, type Sizes } from './composed_gpt.js';
import { alternate, row, start, type Side } from './pairs.js';
import { PyTorch, type Task } from './pytorch.js';

const SIZES: Record<string, Sizes> = {
  tiny: { layers: 4, width: 128, heads: 4, length: 128, batch: 8, vocabulary: 96 },
  wide: { layers: 6, width: 384, heads: 6, length: 256, batch: 2, vocabulary: 96 },
};
const name = process.argv[2] ?? 'tiny';
const sizes = SIZES[name];
const { layers, width, heads, length, batch, vocabulary } = sizes;
const learningRate = 1e-3;
const ids = Array.from({ length: batch * length }, (_, i) => (i * 7 + (i >> 3)) % vocabulary);
const task: Task = { sizes, learningRate, ids, labels: ids.map((id) => (id * 3 + 1) % vocabulary) };

const KERNELS = 'ours, wasm, kernels';
const losses: Record<string, () => Promise<number>> = {};
if (!(await start('wasm'))) throw new Error("Backend 'wasm' is not here.");
const model = makeModel();
const pytorch = await PyTorch.start(model, task);
losses[KERNELS] = ours('wasm', model, registerKernels);
losses['ours, wasm, references'] = ours('wasm', makeModel(), unregisterKernels);
losses['composed by hand, wasm'] = composed('wasm');
if (await start('tensorflow')) {
  losses[`ours, tfjs-node, ${cpus().length} cores`] = ours('tensorflow', makeModel());
  losses[`composed by hand, tfjs-node, ${cpus().length} cores`] = composed('tensorflow');
}
if (pytorch) losses[`PyTorch ${pytorch.version}, one thread`] = () => pytorch.step();

// The same losses first: the same work is timed.
for (let i = 0; i < 2; i++) {
  const expected = await losses[KERNELS]();
  for (const [way, step] of Object.entries(losses)) {
    const loss = way === KERNELS ? expected : await step();
    if (!(Math.abs(loss - expected) < 2e-4 * expected))
      throw new Error(`${way}: loss of step ${i} is ${loss}, by the kernels ${expected}.`);
  }
}

const { times, ratio } = await alternate(
  losses as Record<string, Side>,
  Number(process.argv[3] ?? 5),
);
const parameters = model.countParams();
console.log(
  `${layers} layers, width ${width}, ${heads} heads, ${batch} × ${length} tokens, ${parameters} parameters`,
);
console.log(row('', 'ms a step', 'tokens/s', 'kernels are faster by'));
console.log('|---|---|---|---|');
for (const [way, timing] of Object.entries(times)) {
  const speed = ((1000 * batch * length) / timing.median).toFixed(0);
  console.log(row(way, timing, speed, way === KERNELS ? '' : ratio(KERNELS, way)));
}
pytorch?.stop();

function makeModel(): tf.LayersModel {
  return models.causalLM({
    vocabularySize: vocabulary,
    maxSequenceLength: length,
    hiddenDim: width,
    numLayers: layers,
    numHeads: heads,
    seed: 1,
  });
}

function tokens(): [tf.Tensor2D, tf.Tensor2D] {
  const shape: [number, number] = [batch, length];
  return [tf.tensor2d(ids, shape, 'int32'), tf.tensor2d(task.labels, shape, 'int32')];
}

/** A step with our layers, loss and optimizer. */
function ours(backend: string, model: tf.LayersModel, prepare?: () => void): () => Promise<number> {
  const [inputs, labels] = tokens();
  const optimizer = training.adamW({ learningRate, weightDecay: 0 });
  return async () => {
    await tf.setBackend(backend);
    prepare?.();
    const loss = optimizer.minimize(() => {
      const logits = model.apply(inputs, { training: true }) as tf.Tensor;
      return ops.sparseSoftmaxCrossEntropy(logits, labels) as tf.Scalar;
    }, true)!;
    return valueOf(loss);
  };
}

function composed(backend: string): () => Promise<number> {
  const [inputs, labels] = tokens();
  const gpt = new ComposedGPT(sizes, makeModel(), learningRate);
  return async () => {
    await tf.setBackend(backend);
    return valueOf(gpt.step(inputs, labels));
  };
}

async function valueOf(loss: tf.Scalar): Promise<number> {
  const [value] = await loss.data();
  loss.dispose();
  return value;
}
