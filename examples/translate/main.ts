/**
 * A transformer learns to say English words: spelling in, phonemes out: `npm run example:translate`.
 *
 * An encoder reads the letters, a decoder writes the phonemes and looks at the letters through cross-attention. Words
 * differ in length on both sides, so there are two padding masks.
 */
import * as tf from '@tensorflow/tfjs';
import { relative } from 'node:path';
import { generation, models, tokenizers, training, visualize } from 'tfjs-transformers';
import 'tfjs-transformers/wasm'; // fused kernels for the wasm backend
import { runExample, stopOnCtrlC, type Run } from '../shared/command_line.js';
import { bold, dim, green, heading, red } from '../shared/terminal.js';
import { crossAttention } from './cross_attention.js';
import { errorRate } from './edit_distance.js';
import { loadDictionary, type Entry } from './pronunciations.js';

const USAGE = `Trains a transformer to turn the spelling of English words into phonemes.

  npm run example:translate -- [--backend wasm|tensorflow|cpu|auto] [--steps 900] [--seed 1] [--resume]
                               [--output folder]

  --backend  what computes; wasm unless given. npm run native gets tensorflow (tfjs-node).
  --steps    optimizer steps; 900 unless given.
  --seed     of the split, the weights and the batches; 1 unless given. The same seed gives the same numbers on the
             same backend.
  --resume   goes on from the last checkpoint. Ctrl-C saves one.
  --output   where checkpoints and the model go; examples/translate/output unless given.`;

const STEPS = 900;
const BATCH_SIZE = 64;
/** Most letters of a word. */
const LONGEST = 12;
/** Words to measure on; saying them one phoneme after the other takes time. */
const MEASURED = 1000;
/** Mistakes a phoneme, on words that it never saw, below which a run of all steps must end. */
const REQUIRED_ERROR_RATE = 0.35;
/** Tokens of the decoder that are no phonemes. */
const [PADDING, START, END] = [0, 1, 2];

async function main({ steps, seed, output, resume, resumeCommand }: Run): Promise<void> {
  const startedAt = performance.now();
  heading('The dictionary');
  const { entries, phonemes } = loadDictionary(LONGEST);
  const byWord = new Map(entries.map((entry) => [entry.word, entry]));
  const split = training.splitDocuments([...byWord.keys()], { validation: 0.05, seed });
  const train = split.train.map((word) => byWord.get(word)!);
  const heldOut = split.validation.map((word) => byWord.get(word)!);
  const letters = tokenizers.characters('ABCDEFGHIJKLMNOPQRSTUVWXYZ', { special: ['<pad>'] });
  const tokens = ['<pad>', '<start>', '<end>', ...phonemes];
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const said = (ids: readonly number[]): string[] =>
    ids.filter((id) => id > END).map((id) => tokens[id]);
  const count = (n: number): string => n.toLocaleString('en-US');
  console.log(
    `${count(train.length)} words to learn from, ${count(heldOut.length)} to measure on; ${phonemes.length} phonemes.`,
  );
  for (const { word, pronunciations } of [0.2, 0.5, 0.8].map(
    (part) => train[Math.floor(part * train.length)],
  )) {
    console.log(`  ${word.padEnd(LONGEST)} ${green(pronunciations[0].join(' '))}`);
  }

  // The decoder reads <start> and the phonemes so far, and has to say the next one, or <end>.
  const examples = (list: Entry[]): training.Example[] =>
    list.map(({ word, pronunciations: [first] }) => {
      const ids = first.map((phoneme) => idOf.get(phoneme)!);
      return {
        inputs: { tokenIds: letters.encode(word), decoderTokenIds: [START, ...ids] },
        labels: [...ids, END],
      };
    });
  const batches = {
    batchSize: BATCH_SIZE,
    seed,
    masks: { paddingMask: 'tokenIds', decoderPaddingMask: 'decoderTokenIds' },
    padding: { tokenIds: letters.idOf('<pad>'), decoderTokenIds: PADDING },
    bucketBy: 'tokenIds', // words of like length in one batch, so that little is filled up
  };
  const trainData = training.arrayDataset(examples(train), batches);
  const every = Math.max(1, Math.floor(heldOut.length / MEASURED)); // they are in order of the alphabet
  const measured = heldOut.filter((_, i) => i % every === 0).slice(0, MEASURED);
  const heldOutData = training.arrayDataset(examples(measured), { ...batches, shuffle: false });

  heading('The model');
  const longestSaid = Math.max(
    ...entries.flatMap(({ pronunciations }) => pronunciations.map(({ length }) => length)),
  );
  const model = models.seq2seq({
    vocabularySize: letters.size,
    maxSequenceLength: LONGEST,
    decoderVocabularySize: tokens.length,
    decoderMaxSequenceLength: longestSaid + 1,
    hiddenDim: 96,
    numLayers: 2,
    numHeads: 4,
    inputs: ['tokenIds', 'decoderTokenIds', 'paddingMask', 'decoderPaddingMask'],
    seed,
  });
  console.log(
    `Encoder and decoder with 2 layers each, 4 heads, width 96: ${count(model.countParams())} parameters.`,
  );
  const say = async (speaker: tf.LayersModel, words: string[]): Promise<number[][]> => {
    const { ids } = await generation.generate(
      speaker,
      words.map((word) => letters.encode(word)),
      {
        decoderStartTokenId: START,
        eosTokenId: END,
        padTokenId: PADDING,
        suppressTokens: [PADDING, START],
        maxLength: longestSaid + 1,
      },
    );
    return ids;
  };

  heading(`Training: ${steps} steps of ${BATCH_SIZE} words. Ctrl-C stops and saves.`);
  const checkpoints = training.fileStorage(`${output}/checkpoints`);
  if (!resume) {
    for (const old of await checkpoints.list()) await checkpoints.remove(old);
  }
  const interrupt = stopOnCtrlC();
  const history = await training.fit(model, trainData, {
    optimizer: training.adamW({
      learningRate: training.schedules.warmupCosine({
        learningRate: 3e-3,
        warmupSteps: Math.min(100, steps),
        totalSteps: steps,
      }),
      beta2: 0.98,
      weightDecay: 0.01,
    }),
    steps,
    clipNorm: 1,
    validationData: heldOutData,
    validateEvery: Math.ceil(steps / 6),
    onValidation: async ({ step, loss }) => {
      const { word } = measured[Math.floor(measured.length / 2)];
      const [ids] = await say(model, [word]);
      const spoken = green(said(ids).join(' '));
      console.log(
        `step ${String(step).padStart(4)}   validation ${loss.toFixed(3)}   ${word} ${spoken}`,
      );
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
  model.setUserDefinedMetadata({ letters: letters.toJSON(), tokens });
  await model.save(files);
  const loaded = await tf.loadLayersModel(files);
  console.log(`Saved to ${relative('', output)}, and loaded again for this:`);
  const spoken: number[][] = [];
  for (let at = 0; at < measured.length; at += 100) {
    const words = measured.slice(at, at + 100).map(({ word }) => word);
    spoken.push(...(await say(loaded, words)));
  }
  const ways = measured.map(({ pronunciations }) => pronunciations);
  const rate = errorRate(spoken.map(said), ways);
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  console.log(`Of ${count(measured.length)} words that it never saw:`);
  console.log(`  phonemes wrong   ${bold(percent(rate.phonemes))}`);
  console.log(`  words wrong      ${percent(rate.words)}`);
  for (let i = 0; i < measured.length; i += Math.ceil(measured.length / 10)) {
    const { word } = measured[i];
    const phonemes = said(spoken[i]);
    const right = errorRate([phonemes], [ways[i]]).words === 0;
    const verdict = right
      ? green(phonemes.join(' '))
      : `${red(phonemes.join(' '))} instead of ${ways[i][0].join(' ')}`;
    console.log(`  ${word.padEnd(LONGEST)} ${verdict}`);
  }

  // One that is said with fewer phonemes than it has letters, from the middle of the alphabet.
  const half = Math.floor(measured.length / 2);
  const pick = measured.findIndex(
    ({ word }, i) => i >= half && word.length > 6 && said(spoken[i]).length < word.length,
  );
  const { word } = measured[Math.max(0, pick)];
  heading(`Which letters of ${word} it looks at for each phoneme`);
  const answer = spoken[Math.max(0, pick)].filter((id) => id !== END);
  const weights = await crossAttention(loaded, letters.encode(word), answer);
  // Row t was computed from the phonemes before t, to say phoneme t.
  const rows = [...said(answer), 'end'];
  console.log(
    await visualize.text(weights, {
      queryLabels: rows,
      keyLabels: Array.from(word),
      max: 1,
      legend: true,
    }),
  );

  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(dim(`\n${seconds} s on ${tf.getBackend()}.`));
  if (rate.phonemes >= REQUIRED_ERROR_RATE) {
    const missed = `Fewer than ${percent(REQUIRED_ERROR_RATE)} of the phonemes must be wrong, got ${percent(rate.phonemes)}`;
    if (steps >= STEPS) throw new Error(`${missed}.`);
    console.log(dim(`${missed}; after all ${STEPS} steps they are.`));
  }
}

await runExample(
  { usage: USAGE, command: 'npm run example:translate', url: import.meta.url, steps: STEPS },
  main,
);
