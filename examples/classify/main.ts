/**
 * A transformer encoder learns to tell spam from other mail: `npm run example:classify`.
 *
 * Mails have different lengths, so short ones are filled up; the padding mask keeps the fillings out of attention and
 * out of the mean over the words.
 */
import * as tf from '@tensorflow/tfjs';
import { relative } from 'node:path';
import { models, training } from 'tfjs-transformers';
import 'tfjs-transformers/wasm'; // fused kernels for the wasm backend
import { runExample, stopOnCtrlC, type Run } from '../shared/command_line.js';
import { bold, dim, green, heading, red } from '../shared/terminal.js';
import { loadMails, wordsOf, type Mail } from './mails.js';
import { scoreOf } from './score.js';
import { countWords, PADDING } from './vocabulary.js';

const USAGE = `Trains a transformer encoder to tell spam from other mail.

  npm run example:classify -- [--backend wasm|tensorflow|cpu|auto] [--steps 400] [--seed 1] [--resume]
                              [--output folder]

  --backend  what computes; wasm unless given. npm run native gets tensorflow (tfjs-node).
  --steps    optimizer steps; 400 unless given.
  --seed     of the split, the weights and the batches; 1 unless given. The same seed gives the same numbers on the
             same backend.
  --resume   goes on from the last checkpoint. Ctrl-C saves one.
  --output   where checkpoints and the model go; examples/classify/output unless given.`;

const STEPS = 400;
const BATCH_SIZE = 32;
/** Words of a mail that are read, from its subject on. */
const LENGTH = 192;
const VOCABULARY = 4000;
/** F1 on mails that it never saw, which a run of all steps must reach. */
const REQUIRED_F1 = 0.95;

async function main({ steps, seed, output, resume, resumeCommand }: Run): Promise<void> {
  const startedAt = performance.now();
  heading('The mails');
  const mails = new Map(loadMails().map((mail) => [mail.text, mail]));
  const split = training.splitDocuments([...mails.keys()], { validation: 0.2, seed });
  const train = split.train.map((text) => mails.get(text)!);
  const heldOut = split.validation.map((text) => mails.get(text)!);
  const spam = (list: Mail[]): number => list.filter(({ isSpam }) => isSpam).length;
  console.log(
    `${train.length} to learn from (${spam(train)} of them spam), ` +
      `${heldOut.length} to measure on (${spam(heldOut)}), all different.`,
  );
  // The words are counted in what it learns from only.
  const vocabulary = countWords(
    train.map(({ text }) => wordsOf(text)),
    VOCABULARY,
  );
  const examples = (list: Mail[]): training.Example[] =>
    list.map(({ text, isSpam }) => ({
      inputs: { tokenIds: vocabulary.encode(wordsOf(text).slice(0, LENGTH)) },
      labels: isSpam ? 1 : 0,
    }));
  const batches = {
    batchSize: BATCH_SIZE,
    seed,
    padding: { tokenIds: PADDING },
    masks: { paddingMask: 'tokenIds' }, // an input more: true where a word is
    bucketBy: 'tokenIds', // mails of like length in one batch, so that little is filled up
  };
  const trainData = training.arrayDataset(examples(train), batches);
  const heldOutData = training.arrayDataset(examples(heldOut), { ...batches, shuffle: false });
  console.log(`Their first ${LENGTH} words, of which it knows ${vocabulary.size - 2}.`);

  heading('The model');
  const model = models.sequenceClassifier({
    vocabularySize: vocabulary.size,
    maxSequenceLength: LENGTH,
    hiddenDim: 64,
    numLayers: 2,
    numHeads: 4,
    intermediateDim: 128,
    numClasses: 2,
    dropout: 0.2,
    inputs: ['tokenIds', 'paddingMask'],
    seed,
  });
  console.log(
    `Encoder with 2 layers of 4 heads, width 64: ${model.countParams().toLocaleString('en-US')} parameters.`,
  );

  heading(`Training: ${steps} steps of ${BATCH_SIZE} mails. Ctrl-C stops and saves.`);
  const checkpoints = training.fileStorage(`${output}/checkpoints`);
  if (!resume) {
    for (const old of await checkpoints.list()) await checkpoints.remove(old);
  }
  const interrupt = stopOnCtrlC();
  const history = await training.fit(model, trainData, {
    optimizer: training.adamW({
      learningRate: training.schedules.warmupCosine({
        learningRate: 2e-3,
        warmupSteps: Math.min(40, steps),
        totalSteps: steps,
      }),
      weightDecay: 0.1,
    }),
    steps,
    clipNorm: 1,
    validationData: heldOutData,
    validateEvery: Math.ceil(steps / 4),
    metrics: ['accuracy'],
    onValidation: ({ step, loss, metrics }) => {
      const right = (100 * metrics!.accuracy).toFixed(1);
      console.log(`step ${String(step).padStart(4)}   loss ${loss.toFixed(3)}   ${right} % right`);
    },
    checkpoint: { storage: checkpoints },
    ...(resume && { resumeFrom: 'latest' }),
    signal: interrupt.signal,
    progress: true,
  });
  interrupt.release();
  if (history.stopped === 'aborted') {
    const command = resumeCommand();
    console.log(
      `\nStopped after step ${history.steps} of ${steps}, and saved. Go on with:\n  ${command}`,
    );
    return;
  }

  heading('Is that any good?');
  const files = training.modelFiles(training.fileStorage(output));
  await model.save(files);
  const loaded = await tf.loadLayersModel(files);
  console.log(`Saved to ${relative('', output)}, and loaded again for this:`);
  // Unshuffled and not sorted by length: number i is mail i.
  const inOrder = training.arrayDataset(examples(heldOut), {
    ...{ ...batches, bucketBy: undefined },
    shuffle: false,
  });
  const chances = await chancesOfSpam(loaded, inOrder);
  const score = scoreOf(
    chances.map((chance) => chance > 0.5),
    heldOut.map(({ isSpam }) => isSpam),
  );
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  console.log(`On the ${heldOut.length} mails it never saw:`);
  console.log(`  precision   ${percent(score.precision)} of what it calls spam is spam`);
  console.log(`  recall      ${percent(score.recall)} of the spam is called so`);
  console.log(`  F1          ${bold(score.f1.toFixed(3))}`);

  heading('Some of them');
  const width = 56;
  const some = [true, false].flatMap((wanted) =>
    heldOut.flatMap(({ isSpam }, i) => (isSpam === wanted ? [i] : [])).slice(0, 4),
  );
  for (const i of some) {
    const { text, isSpam } = heldOut[i];
    const subject = text.split('\n')[0].replace(/\s+/g, ' ').slice(0, width).padEnd(width);
    const right = chances[i] > 0.5 === isSpam;
    const verdict = `${chances[i] > 0.5 ? 'spam' : 'mail'} ${percent(Math.max(chances[i], 1 - chances[i]))}`;
    console.log(`  ${subject} ${right ? green(verdict) : red(`${verdict}, wrongly`)}`);
  }

  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(dim(`\n${seconds} s on ${tf.getBackend()}.`));
  if (score.f1 < REQUIRED_F1) {
    const missed = `F1 must be at least ${REQUIRED_F1}, got ${score.f1.toFixed(3)}`;
    if (steps >= STEPS) throw new Error(`${missed}.`);
    console.log(dim(`${missed}; a run of all ${STEPS} steps reaches it.`));
  }
}

/** For each mail of a dataset, how likely the model thinks it spam. */
async function chancesOfSpam(
  model: tf.LayersModel,
  dataset: training.ArrayDataset,
): Promise<number[]> {
  const chances: number[] = [];
  for (const batch of dataset.batches()) {
    const spam = tf.tidy(() => {
      const { inputs } = training.toTensors(batch);
      const logits = model.predict(model.inputNames.map((name) => inputs[name])) as tf.Tensor2D;
      return tf.slice(tf.softmax(logits), [0, 1], [-1, 1]); // [B,1]
    });
    chances.push(...(await spam.data()));
    spam.dispose();
  }
  return chances;
}

await runExample(
  { usage: USAGE, command: 'npm run example:classify', url: import.meta.url, steps: STEPS },
  main,
);
