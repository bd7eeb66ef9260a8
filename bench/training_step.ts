/** How long is a training step of the tiny GPT, ours beside the composed one? `npx tsx bench/training_step.ts [backend …]` */
import * as tf from '@tensorflow/tfjs';
import { models, ops, training } from 'tfjs-transformers';
import { ComposedGPT, type Sizes } from './composed_gpt.js';
import { pair, row, start } from './pairs.js';

const sizes: Sizes = { layers: 4, width: 128, heads: 4, length: 128, batch: 8, vocabulary: 96 };

const backends = process.argv.slice(2);
console.log(row('backend', 'ours, ms', 'composed, ms', 'ours is faster by', 'ours, tokens/s'));
console.log('|---|---|---|---|---|');
for (const backend of backends.length > 0 ? backends : ['wasm', 'tensorflow']) {
  if (!(await start(backend))) {
    console.log(row(backend, 'not here', '', '', ''));
    continue;
  }
  const { layers, width, heads, length, batch, vocabulary } = sizes;
  const model = models.causalLM({
    vocabularySize: vocabulary,
    maxSequenceLength: length,
    hiddenDim: width,
    numLayers: layers,
    numHeads: heads,
    seed: 1,
  });
  const composed = new ComposedGPT(sizes, model, 1e-3);
  const numbers = Array.from({ length: batch * length }, (_, i) => (i * 7 + (i >> 3)) % vocabulary);
  const ids = tf.tensor2d(numbers, [batch, length], 'int32');
  const labels = tf.tensor2d(
    numbers.map((id) => (id * 3 + 1) % vocabulary),
    [batch, length],
    'int32',
  );
  const optimizer = training.adamW({ learningRate: 1e-3, weightDecay: 0 });
  const step = (): tf.Scalar =>
    optimizer.minimize(
      () =>
        ops.sparseSoftmaxCrossEntropy(
          model.apply(ids, { training: true }) as tf.Tensor,
          labels,
        ) as tf.Scalar,
      true,
    )!;

  // The same losses first: the same work is timed.
  for (let i = 0; i < 2; i++) {
    const [a, b] = [(await step().data())[0], (await composed.step(ids, labels).data())[0]];
    if (!(Math.abs(a - b) < 2e-4 * Math.abs(b)))
      throw new Error(`${backend}: losses differ, ${a} and ${b}.`);
  }
  const result = await pair(
    async () => (await step().data())[0],
    async () => (await composed.step(ids, labels).data())[0],
  );
  const speed = ((1000 * batch * length) / result.ours.median).toFixed(0);
  console.log(row(backend, result.ours, result.peer, result.ratio, speed));
}
