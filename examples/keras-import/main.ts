/**
 * A model that was trained in Python goes on in JavaScript: `npm run example:keras`.
 *
 * `train.py` beside this file made `names.keras`, which tells women's first names from men's by their letters. Here it is looked
 * into, loaded, used, trained on names that Python did not see, and saved for Python again.
 */
import * as tf from '@tensorflow/tfjs';
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pretrained } from 'tfjs-transformers';
import 'tfjs-transformers/wasm'; // fused kernels for the wasm backend
import { runExample, type Run } from '../shared/command_line.js';
import { bold, dim, green, heading, red } from '../shared/terminal.js';
import { encode, LENGTH, splitNames, type Name } from './names.js';

const USAGE = `Takes up a model of Keras: looks into the file, predicts, trains it further, saves it for Python.

  npm run example:keras -- [--backend wasm|tensorflow|cpu|auto] [--steps 114] [--file model.keras] [--output folder]

  --backend  what computes; wasm unless given. npm run native gets tensorflow (tfjs-node).
  --steps    steps of 64 new names; 114, which is three times all of them, unless given.
  --file     what examples/keras-import/train.py wrote; names.keras beside it unless given.
  --output   where the model goes that was trained further; examples/keras-import/output unless given.`;

const STEPS = 114;
const BATCH_SIZE = 64;
const NAMES = ['Isabella', 'Frederick', 'Robin', 'Ada', 'Linus'];

async function main({ steps, output, flags }: Run): Promise<void> {
  const startedAt = performance.now();
  const file = flags.file ?? fileURLToPath(new URL('names.keras', import.meta.url));

  heading(`What is in ${relative('', file)}`);
  const content = await pretrained.inspectKeras(file);
  console.log(
    `Keras ${content.kerasVersion}, ${content.layers.length} layers and operators, ` +
      `${content.parameters.toLocaleString('en-US')} parameters in these:`,
  );
  for (const { name, className, parameters } of content.layers) {
    if (parameters > 0)
      console.log(`  ${name.padEnd(18)} ${className.padEnd(20)} ${String(parameters).padStart(5)}`);
  }
  console.log(
    content.unsupported.length === 0
      ? 'All of it can be loaded.'
      : `Cannot be loaded: ${content.unsupported.map(({ layer, problem }) => `${layer} (${problem})`).join(', ')}.`,
  );

  heading('Loaded, as Python left it');
  const loadedAt = performance.now();
  const model = await pretrained.loadKeras(file);
  const milliseconds = (performance.now() - loadedAt).toFixed(0);
  const { fresh, held } = splitNames();
  const before = await shareRight(model, held);
  console.log(
    `In ${milliseconds} ms. Right on ${percent(before)} of ${held.length} names it never saw.`,
  );
  await show(model);

  heading(`Trained further: ${steps} steps of ${BATCH_SIZE} names that Python did not see`);
  model.compile({ optimizer: tf.train.adam(1e-3), loss: 'binaryCrossentropy', metrics: ['acc'] });
  let sum = [0, 0];
  const report = Math.max(1, Math.ceil(steps / 3));
  for (let step = 0; step < steps; step++) {
    // Steps of a prime mix the alphabet.
    const batch = Array.from({ length: BATCH_SIZE }, (_, i) => fresh[((step * BATCH_SIZE + i) * 1009) % fresh.length]); // prettier-ignore
    const x = encoded(batch.map(({ text }) => text));
    const y = tf.tensor2d(batch.map(({ isWoman }) => [Number(isWoman)]));
    const [loss, right] = (await model.trainOnBatch(x, y)) as number[];
    tf.dispose([x, y]);
    sum = [sum[0] + loss, sum[1] + right];
    if ((step + 1) % report > 0 && step + 1 < steps) continue;
    const count = step % report === report - 1 ? report : (step % report) + 1;
    const [meanLoss, meanRight] = sum.map((value) => value / count);
    sum = [0, 0];
    console.log(
      `  step ${String(step + 1).padStart(3)}   loss ${meanLoss.toFixed(3)}   ${percent(meanRight)} right`,
    );
  }
  const after = await shareRight(model, held);
  console.log(
    `Right on ${bold(percent(after))} of the names it never saw; it was ${percent(before)}.`,
  );
  await show(model);

  heading('Saved for Python');
  mkdirSync(output, { recursive: true });
  const saved = join(output, 'names.keras');
  const bytes = await pretrained.saveKeras(model, saved);
  const again = await pretrained.loadKeras(saved);
  if ((await shareRight(again, held)) !== after)
    throw new Error(`${saved} does not predict what the model predicts.`);
  const path = relative('', saved);
  console.log(`${path}, ${(bytes.length / 1024).toFixed(0)} kB; loaded again it says the same.`);
  console.log('Python opens it with');
  console.log(`  keras.saving.load_model('${path}')`);

  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(dim(`\n${seconds} s on ${tf.getBackend()}.`));
}

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

const encoded = (names: string[]): tf.Tensor =>
  tf.tensor2d(names.map(encode), [names.length, LENGTH], 'int32');

/** How likely each is a woman's name. */
async function chances(model: tf.LayersModel, names: string[]): Promise<Float32Array> {
  const predicted = tf.tidy(() => model.predict(encoded(names)) as tf.Tensor);
  const values = await predicted.data<'float32'>();
  predicted.dispose();
  return values;
}

async function shareRight(model: tf.LayersModel, names: Name[]): Promise<number> {
  const given = await chances(model, names.map(({ text }) => text)); // prettier-ignore
  return names.filter(({ isWoman }, i) => given[i] > 0.5 === isWoman).length / names.length;
}

async function show(model: tf.LayersModel): Promise<void> {
  const given = await chances(model, NAMES);
  NAMES.forEach((name, i) => {
    const woman = given[i] > 0.5;
    const text = `${woman ? 'a woman' : 'a man'}, ${percent(woman ? given[i] : 1 - given[i])}`;
    console.log(`  ${name.padEnd(10)} ${woman ? green(text) : red(text)}`);
  });
}

await runExample(
  {
    usage: USAGE,
    command: 'npm run example:keras',
    url: import.meta.url,
    steps: STEPS,
    flags: ['file'],
  },
  main,
);
