/** A row of a beam search, running or finished. */
export interface Beam {
  /** Its ids, prompt included. */
  ids: readonly number[];
  /** Running: the sum of the scores of its new tokens. Finished: that, with the length penalty. */
  score: number;
  /** Row of the batch that it continues. */
  parent: number;
}

/** A token that may come next. */
export interface Candidate {
  /** The beam before it: its number among those running. */
  beam: number;
  /** The token. */
  id: number;
  /** Sum of scores with it. */
  score: number;
}

/** What decides how a search goes. */
export interface BeamSettings {
  /** How many beams run, and how many finished ones are kept. */
  numBeams: number;
  /** A finished beam's score is sum / length ^ penalty, its length counted without the prompt. */
  lengthPenalty: number;
  /** When the search ends; see `GenerateOptions`. */
  earlyStopping: boolean | 'never';
  /** End tokens. */
  eosTokenIds: readonly number[];
  /** Length of the prompt. */
  promptLength: number;
  /** Longest row, prompt included. */
  maxLength: number;
}

/**
 * The beam search of one prompt: which beams run, which are finished, and when nothing better can come. The rules are
 * those of transformers' `_beam_search`; sums are in double precision.
 *
 * It starts with one beam, the prompt. Where transformers fills up to `numBeams` with copies of score −10⁹, here fewer
 * beams run.
 */
export class BeamHypotheses {
  /** Beams that go on, the best first. */
  running: Beam[];
  /** The best finished beams, the best first. */
  finished: Beam[] = [];
  private canImprove = true;

  /**
   * @param settings See `BeamSettings`.
   * @param prompt Ids of the prompt.
   * @param row Row of the batch that holds it.
   */
  constructor(
    private readonly settings: BeamSettings,
    prompt: readonly number[],
    row: number,
  ) {
    this.running = [{ ids: [...prompt], score: 0, parent: row }];
  }

  /** How many candidates a step looks at: enough for `numBeams` to go on when all others end. */
  get width(): number {
    return Math.max(2, 1 + this.settings.eosTokenIds.length) * this.settings.numBeams;
  }

  /** Whether the search has ended. */
  get isDone(): boolean {
    return !this.canImprove || this.isFull || this.running.length === 0;
  }

  /** Whether early stopping says that there are enough. */
  private get isFull(): boolean {
    const { earlyStopping, numBeams } = this.settings;
    return earlyStopping === true && this.finished.length === numBeams;
  }

  /**
   * Takes a step.
   *
   * @param candidates The best, or those drawn, in order; at most `width`.
   * @param rows Rows of the batch of the running beams.
   */
  advance(candidates: readonly Candidate[], rows: readonly number[]): void {
    const { numBeams, earlyStopping, lengthPenalty, maxLength, promptLength } = this.settings;
    const next = candidates.map(({ beam, id, score }) => {
      const ids = [...this.running[beam].ids, id];
      const ends = this.settings.eosTokenIds.includes(id) || ids.length >= maxLength;
      return { ids, score, parent: rows[beam], ends };
    });
    // Only one of the first `numBeams` can finish; those behind them are there to go on.
    if (!this.isFull) this.finish(next.slice(0, numBeams).filter(({ ends }) => ends));
    this.running = next.filter(({ ends }) => !ends).sort(byScore);
    this.running.length = Math.min(this.running.length, numBeams);
    if (this.running.length === 0) return;

    const [best] = this.running;
    const length =
      earlyStopping === 'never' && lengthPenalty > 0
        ? maxLength - promptLength
        : best.ids.length - promptLength;
    const worst = this.finished.length < numBeams ? -Infinity : this.finished[numBeams - 1].score;
    this.canImprove = best.score / length ** lengthPenalty > worst;
  }

  /** Ends the search where it stands: running beams count as finished. */
  stop(): void {
    this.finish(this.running.filter(({ ids }) => ids.length > this.settings.promptLength));
    this.running = [];
  }

  private finish(beams: readonly Beam[]): void {
    const { promptLength, lengthPenalty, numBeams } = this.settings;
    const penalised = beams.map(({ ids, score, parent }) => ({
      ids,
      score: score / (ids.length - promptLength) ** lengthPenalty,
      parent,
    }));
    this.finished = [...this.finished, ...penalised].sort(byScore).slice(0, numBeams);
  }
}

/** Of equal scores the earlier one stays first: the sort is stable. */
function byScore(a: Beam, b: Beam): number {
  return b.score - a.score;
}
