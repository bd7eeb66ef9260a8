/** Checkpoints of transformers generate the ids that transformers generates: greedy, with a penalty, and with beams. */
import * as tf from '@tensorflow/tfjs';
import { generate, type GenerateOptions } from '../../src/generation/index.js';
import { describeBackends } from '../support/backends.js';
import { expectClose } from '../support/expect_close.js';
import { loadFixtures, type FixtureCase } from '../support/fixtures.js';
import { causalCheckpoint } from '../support/huggingface.js';

const cases = loadFixtures('huggingface').filter((c) => c.parameters.generate !== undefined);

test('the checkpoints are here', () => {
  expect(cases.map((c) => c.name)).toEqual([
    'gpt2',
    'llama_grouped_tied',
    'llama_rope_llama3',
    'llama_bias',
    'llama_sharded_bf16',
  ]);
});

/** The rows of an int32 tensor of a case. */
function rowsOf(c: FixtureCase, name: string): number[][] {
  const { shape, values } = c.array(name);
  return Array.from({ length: shape[0] }, (_, b) =>
    Array.from(values).slice(b * shape[1], (b + 1) * shape[1]),
  );
}

/** The prompts of a case, without padding. */
function prompts(c: FixtureCase, kind: string): number[][] {
  if (kind === 'full') return rowsOf(c, 'input_ids');
  const mask = rowsOf(c, 'left_padded/attention_mask');
  return rowsOf(c, 'left_padded/input_ids').map((row, b) => row.filter((_, t) => mask[b][t]));
}

/** What transformers generated, without padding before and after. */
function expectedRows(c: FixtureCase, mode: string, kind: string): number[][] {
  const source = prompts(c, kind);
  const rows = rowsOf(c, `generate/${mode}/${kind}`);
  const copies = rows.length / source.length;
  const width = Math.max(...source.map((ids) => ids.length));
  return rows.map((row, r) => {
    const prompt = source[Math.floor(r / copies)];
    const added = row.slice(width);
    const end = added.indexOf(c.parameters.eos_token_id);
    return [...prompt, ...(end < 0 ? added : added.slice(0, end + 1))];
  });
}

/** The options of a mode in our names. */
function optionsOf(c: FixtureCase, mode: string): GenerateOptions {
  const config = c.parameters.generate[mode];
  const isBeam = config.num_beams > 1;
  return {
    maxNewTokens: config.max_new_tokens,
    eosTokenId: c.parameters.eos_token_id,
    padTokenId: c.parameters.pad_token_id,
    repetitionPenalty: config.repetition_penalty ?? 1,
    noRepeatNgramSize: config.no_repeat_ngram_size ?? 0,
    ...(isBeam && {
      numBeams: config.num_beams,
      numReturnSequences: config.num_return_sequences ?? 1,
      lengthPenalty: config.length_penalty,
      earlyStopping: config.early_stopping,
    }),
  };
}

const modes = ['greedy', 'repetition', 'beam_all'];

describeBackends('transformers generates the same', () => {
  test.each(cases)('$name', async (c) => {
    const model = causalCheckpoint(c.name);
    const before = tf.memory().numTensors;
    for (const mode of modes) {
      for (const kind of ['full', 'left_padded']) {
        const options = optionsOf(c, mode);
        const { ids, sequencesScores } = await generate(model, prompts(c, kind), options);
        expect([mode, kind, ids]).toEqual([mode, kind, expectedRows(c, mode, kind)]);
        if (mode === 'beam_all') {
          tf.tidy(() => c.expect(`generate/${mode}/${kind}_scores`, tf.tensor1d(sequencesScores!)));
          // The mode `beam` returns the best of the three.
          const best = ids.filter((_, row) => row % 3 === 0);
          expect(best).toEqual(expectedRows(c, 'beam', kind));
        } else expect(sequencesScores).toBeUndefined();
      }
    }
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  test.each(cases)('$name: logits of every greedy step', async (c) => {
    const model = causalCheckpoint(c.name);
    for (const kind of ['full', 'left_padded']) {
      const key = `generate/greedy/${kind}_step`;
      const running = rowsOf(c, `${key}_running`);
      const logits = c.array(`${key}_logits`);
      const V = logits.shape[2];
      await generate(model, prompts(c, kind), {
        ...optionsOf(c, 'greedy'),
        onStep: ({ step, scores }) => {
          scores.forEach((row, b) => {
            if (!running[b][step]) return;
            const at = (b * logits.shape[1] + step) * V;
            const expected = Array.from(logits.values).slice(at, at + V);
            tf.tidy(() => expectClose(tf.tensor1d(row), expected, { atol: 2e-4, rtol: 1e-4 }));
          });
        },
      });
    }
    model.dispose();
  });
});
