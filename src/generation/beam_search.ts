import { assert } from '../util/errors.js';
import { RandomStream } from '../util/random.js';
import { bestCandidates, drawnCandidates } from './beam_candidates.js';
import { BeamHypotheses, type Beam } from './beam_hypotheses.js';
import { Forward } from './forward.js';
import { logitsProcessors } from './logits_processors.js';
import { renormalizeLogits } from './processors/renormalize_logits.js';
import { checkContext, maxLengthOf, nothingLeft, processed, type Run } from './run.js';
import { stepUniforms } from './sampler.js';

/**
 * Beam search, or with `doSample` beam sampling, as transformers' `generate` does it: log softmax first, then the
 * processors, then the sums. Prompts are fed once; a prompt whose search has ended leaves the batch.
 *
 * @param run What `prepare` returned.
 * @returns The best finished rows of each prompt, the best first; when the signal was aborted, of what there is.
 * @throws ContextLengthError before the first token that would not fit.
 */
export async function beamSearch(run: Run): Promise<Beam[][]> {
  const { grid, options, vocabularySize: V } = run;
  const processors = logitsProcessors(options);
  const { seed } = new RandomStream(options.seed);
  const forward = new Forward(run);
  const searches = grid.rows.map(
    (row, b) =>
      new BeamHypotheses(
        { ...options, promptLength: row.promptLength, maxLength: maxLengthOf(run, row) },
        row.ids,
        b,
      ),
  );
  const prompts = searches.map(({ running }) => running[0]);
  try {
    for (let step = 0; searches.some(({ isDone }) => !isDone); step++) {
      checkContext(run, step);
      const logits = await forward.logits();
      if (logits === null) break;
      const scores = grid.rows.map((_, b) => {
        const logProbabilities = renormalizeLogits(logits.subarray(b * V, (b + 1) * V));
        return processed(run, processors, logProbabilities, b, step);
      });
      let row = 0;
      searches.forEach((search, i) => {
        if (search.isDone) return;
        const { running, width } = search;
        const rows = running.map(() => row++);
        const own = rows.map((b) => scores[b]);
        const candidates = options.doSample
          ? drawnCandidates(running, own, uniformsOf(seed, step, i, width))
          : bestCandidates(running, own, width);
        search.advance(candidates, rows);
      });
      const next = searches.flatMap((search) => (search.isDone ? [] : search.running));
      const ids = next.map((beam) => beam.ids[beam.ids.length - 1]);
      await options.onStep?.({ step, ids, scores, attentions: forward.attentions });
      if (next.length === 0) break;
      const parents = next.map(({ parent }) => parent);
      forward.select(parents);
      grid.select(parents);
      grid.append(ids);
    }
  } finally {
    forward.dispose();
  }
  return searches.map((search, i) => {
    const wasAborted = !search.isDone;
    if (wasAborted) search.stop();
    const found = search.finished.slice(0, options.numReturnSequences);
    if (wasAborted) return found.length > 0 ? found : [prompts[i]];
    assert(found.length > 0, () => nothingLeft(run.where, i, 0));
    assert(
      found.length === options.numReturnSequences,
      () =>
        `${run.where}: the options leave only ${found.length} different rows for prompt ${i}, ` +
        `got numReturnSequences=${options.numReturnSequences}. Ask for fewer, or loosen the options.`,
    );
    return found;
  });
}

/** Numbers for the draws of one prompt: they do not depend on how many prompts there are. */
function uniformsOf(seed: number, step: number, prompt: number, count: number): Float64Array {
  return stepUniforms(seed, prompt * 2 ** 32 + step, count);
}
