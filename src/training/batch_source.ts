import { assert } from '../util/errors.js';
import { iterate, type Batch, type Dataset } from './dataset.js';

/** Where a run stands in its dataset. */
export interface Place {
  /** Epoch of the next batch. */
  epoch: number;
  /** Number of the next batch in its epoch. */
  batch: number;
}

/** The batches of a training run, epoch after epoch, from any place on; knows the place of the next one. */
export class BatchSource {
  private at: Place;
  private readonly batches: AsyncGenerator<Batch, undefined>;

  /**
   * @param dataset Where the batches come from.
   * @param epochs Passes over it; may be infinite.
   * @param from Place of the first batch.
   */
  constructor(
    private readonly dataset: Dataset,
    private readonly epochs: number,
    from: Place,
  ) {
    this.at = { ...from };
    this.batches = this.walk();
  }

  /** Place of the next batch. After the last batch of an epoch it is the start of the next epoch at once. */
  get place(): Place {
    return { ...this.at };
  }

  /** Whether all epochs are over. */
  get finished(): boolean {
    return this.at.epoch >= this.epochs;
  }

  /**
   * The next batches.
   *
   * @param count How many.
   * @returns As many as are left.
   */
  async take(count: number): Promise<Batch[]> {
    const taken: Batch[] = [];
    while (taken.length < count) {
      const { value, done } = await this.batches.next();
      if (done) break;
      taken.push(value);
    }
    return taken;
  }

  /** Lets the dataset free what it holds, an open file for example. */
  async close(): Promise<void> {
    await this.batches.return(undefined);
  }

  private async *walk(): AsyncGenerator<Batch, undefined> {
    const { batchesPerEpoch } = this.dataset;
    while (!this.finished) {
      const { epoch, batch: from } = this.at;
      const batches = iterate(this.dataset.batches(epoch, from));
      try {
        let next = await batches.next();
        while (!next.done && this.at.epoch === epoch) {
          const { value } = next;
          this.at.batch++;
          // Without a number of batches, only the batch after it says whether this one is the last.
          if (batchesPerEpoch === undefined) next = await batches.next();
          const last =
            batchesPerEpoch === undefined ? next.done : this.at.batch === batchesPerEpoch;
          if (last) this.at = { epoch: epoch + 1, batch: 0 };
          yield value;
          if (batchesPerEpoch !== undefined && !last) next = await batches.next();
        }
      } finally {
        await batches.return?.();
      }
      assert(this.at.epoch > epoch, () =>
        batchesPerEpoch === undefined
          ? `fit: the dataset must yield batches in every epoch, got none in epoch ${epoch}.`
          : `fit: the dataset must yield batchesPerEpoch=${batchesPerEpoch} batches an epoch, ` +
            `got ${this.at.batch} in epoch ${epoch}.`,
      );
    }
    return undefined;
  }
}
