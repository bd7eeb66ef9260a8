import { assert } from '../util/errors.js';
import { RandomStream } from '../util/random.js';
import { Forward } from './forward.js';
import { logitsProcessors } from './logits_processors.js';
import { checkContext, maxLengthOf, nothingLeft, processed, type Run } from './run.js';
import { greedy, sample, stepUniforms } from './sampler.js';

/** One step of the loop. */
export interface TokenStep {
  /** Number of the step, from 0. */
  step: number;
  /** New id of each row; the padding id for a row that was finished before. */
  ids: number[];
  /** Which rows got an id in this step. */
  isNew: boolean[];
  /** Whether it was the last step. */
  isLast: boolean;
}

/**
 * Generates token by token, greedily or by drawing. Each step costs one call of the model and one transfer of [B, V]
 * logits to the host. With several rows a prompt, the prompt is fed once.
 *
 * Finished rows stay in the batch until the last one is: a step costs much the same for one row as for sixteen.
 *
 * @param run What `prepare` returned; its grid holds the result.
 * @returns The steps; ends early when the signal is aborted. Its own cache is freed however it ends.
 * @throws ContextLengthError before the first token that would not fit.
 */
export async function* tokenSteps(run: Run): AsyncGenerator<TokenStep, void, undefined> {
  const { grid, options, vocabularySize: V } = run;
  const processors = logitsProcessors(options);
  const { seed } = new RandomStream(options.seed);
  const forward = new Forward(run);
  try {
    for (let step = 0; ; step++) {
      checkContext(run, step);
      const logits = await forward.logits();
      if (logits === null) return;
      const copies = step === 0 ? options.numReturnSequences : 1;
      if (copies > 1) {
        const sources = grid.rows.flatMap((_, b) => Array<number>(copies).fill(b));
        forward.select(sources);
        grid.select(sources);
      }
      const uniforms = options.doSample ? stepUniforms(seed, step, grid.rows.length) : null;
      const scores = grid.rows.map(({ isFinished }, b) => {
        const from = Math.floor(b / copies) * V;
        const raw = logits.subarray(from, from + V);
        return isFinished ? raw : processed(run, processors, raw, b, step);
      });
      const isNew = grid.rows.map(({ isFinished }) => !isFinished);
      const ids = scores.map((row, b) =>
        isNew[b] ? choose(run, row, uniforms?.[b], b, step) : options.padTokenId,
      );
      grid.append(ids);
      grid.rows.forEach((row, b) => {
        const ended = options.eosTokenIds.includes(ids[b]);
        if (ended || row.ids.length >= maxLengthOf(run, row)) grid.finish(b);
      });
      await options.onStep?.({ step, ids, scores, attentions: forward.attentions });
      const isLast = grid.rows.every(({ isFinished }) => isFinished);
      yield { step, ids, isNew, isLast };
      if (isLast) return;
    }
  } finally {
    forward.dispose();
  }
}

function choose(
  { where }: Run,
  scores: Float32Array,
  uniform: number | undefined,
  b: number,
  step: number,
): number {
  const id = uniform === undefined ? greedy(scores) : sample(scores, uniform);
  assert(id >= 0, () => nothingLeft(where, b, step));
  return id;
}
