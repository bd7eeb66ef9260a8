import { assert, assertInteger, assertKnownOptions, describe } from '../util/errors.js';
import { batchOrder } from './batch_order.js';
import {
  COLLATE_OPTIONS,
  collate,
  lengthOf,
  type CollateOptions,
  type Example,
} from './collate.js';
import { BaseDataset, type Batch } from './dataset.js';

/** Options of `arrayDataset`. */
export interface ArrayDatasetOptions extends CollateOptions {
  /** B: examples a batch; 32. The last batch of an epoch may have fewer. */
  batchSize?: number;
  /** Integer from which the order of every epoch follows; 0. */
  seed?: number;
  /** Whether examples come in another order every epoch; true. */
  shuffle?: boolean;
  /** Input by whose length examples are put together, so that little is filled up; none. */
  bucketBy?: string;
}

/** Options that `arrayDataset` and `lineDataset` share. */
export const ORDER_OPTIONS = ['batchSize', 'seed', 'shuffle'] as const;

/**
 * Batches of examples that are in memory, for any model: a classifier, a sequence-to-sequence model, a regression.
 *
 *     arrayDataset(
 *       mails.map(({ ids, isSpam }) => ({ inputs: { tokenIds: ids }, labels: isSpam ? 1 : 0 })),
 *       { batchSize: 16, masks: { paddingMask: 'tokenIds' }, bucketBy: 'tokenIds' },
 *     )      // tokenIds [B,T], paddingMask [B,T]; labels [B]
 *
 * Numbers become [B], sequences [B,T] filled up to the longest of their batch, arrays `{values, shape, dtype}`
 * [B,…shape]. The batches of an epoch depend on `seed` and the number of the epoch only.
 *
 * @param examples At least one `{inputs, labels}`; see `Example`.
 * @param options See `ArrayDatasetOptions`.
 * @returns A dataset for `training.fit` and `training.evaluate`, and for TensorFlow.js' `fitDataset`.
 * @throws Error when there is none, or when an option does not fit the examples.
 */
export function arrayDataset(
  examples: readonly Example[],
  options: ArrayDatasetOptions = {},
): ArrayDataset {
  return new ArrayDataset(examples, options);
}

/** Batches of examples in memory; see `arrayDataset`. */
export class ArrayDataset extends BaseDataset {
  /** Number of batches in every epoch. */
  readonly batchesPerEpoch: number;
  /** What the order of the batches depends on. */
  readonly fingerprint: string;

  private readonly batchSize: number;
  private readonly seed: number;
  private readonly shuffle: boolean;

  constructor(
    private readonly examples: readonly Example[],
    private readonly options: ArrayDatasetOptions,
  ) {
    super();
    const where = 'arrayDataset';
    assertKnownOptions(where, options, [...ORDER_OPTIONS, ...COLLATE_OPTIONS, 'bucketBy']);
    const { batchSize = 32, seed = 0, shuffle = true, bucketBy } = options;
    this.batchSize = assertInteger(where, 'batchSize', batchSize);
    this.seed = assertInteger(where, 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    this.shuffle = shuffle;
    assert(
      Array.isArray(examples) && examples.length > 0,
      () => `${where}: examples must be an array of at least one, got ${describe(examples)}.`,
    );
    const [first] = examples as readonly Example[];
    collate(where, [first], options); // what is wrong with the first one shows here
    assert(
      bucketBy === undefined || typeof (first.inputs[bucketBy] ?? 0) === 'object',
      () =>
        `${where}: bucketBy must name a sequence among the inputs ${Object.keys(first.inputs).join(', ')}, ` +
        `got ${describe(bucketBy)}.`,
    );
    this.batchesPerEpoch = Math.ceil(examples.length / batchSize);
    this.fingerprint = JSON.stringify({
      examples: examples.length,
      batchSize,
      seed,
      shuffle,
      bucketBy,
    });
  }

  /**
   * The batches of an epoch, the same ones on every call.
   *
   * @param epoch Number of the epoch, from 0.
   * @param from Number of the first batch, 0 unless given.
   */
  override *batches(epoch = 0, from = 0): Generator<Batch, undefined> {
    assertInteger('ArrayDataset.batches', 'epoch', epoch, 0);
    assertInteger('ArrayDataset.batches', 'from', from, 0);
    const { batchSize, seed, shuffle, examples } = this;
    const { bucketBy } = this.options;
    const order = batchOrder(examples.length, {
      ...{ batchSize, seed, epoch, shuffle },
      lengthOf:
        bucketBy === undefined ? undefined : (row) => lengthOf(examples[row].inputs[bucketBy]),
    });
    for (let start = from * batchSize; start < order.length; start += batchSize) {
      const rows = Array.from(order.subarray(start, start + batchSize), (row) => examples[row]);
      yield collate('arrayDataset', rows, this.options);
    }
  }
}
