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

/** Options of `streamDataset`. */
export interface StreamDatasetOptions extends CollateOptions {
  /** B: examples a batch; 32. The last batch of an epoch may have fewer. */
  batchSize?: number;
  /** Batches whose examples are held in memory, and shuffled among themselves; 1, which keeps them in order. */
  pool?: number;
  /** Integer from which the order in every pool follows; 0. */
  seed?: number;
  /** Input by whose length the examples of a pool are put together; none. */
  bucketBy?: string;
  /** Number of batches in every epoch, where it is known: `training.fit` can then tell how far it is. */
  batchesPerEpoch?: number;
  /** Says what the examples are, so that a checkpoint of others is refused; nothing. */
  fingerprint?: string;
}

/**
 * Batches of whatever yields examples: a generator, a database, a stream over the network. Nothing but a pool of
 * batches is held in memory.
 *
 *     streamDataset(async function* () {
 *       for await (const row of database.query('…')) yield { inputs: { x: row.x }, labels: row.y };
 *     }, { batchSize: 16, pool: 100 })
 *
 * A run that goes on in the middle of an epoch reads the examples before it again and drops them, so the source must
 * yield the same ones for the same epoch.
 *
 * @param open Called for every epoch with its number; returns an iterable of `{inputs, labels}`, async or not.
 * @param options See `StreamDatasetOptions`.
 * @returns The dataset.
 * @throws Error when what `open` returns is not iterable.
 */
export function streamDataset(
  open: (epoch: number) => Iterable<Example> | AsyncIterable<Example>,
  options: StreamDatasetOptions = {},
): StreamDataset {
  return new StreamDataset(open, options);
}

/** Batches of a stream; see `streamDataset`. */
export class StreamDataset extends BaseDataset {
  /** Number of batches in every epoch, where it was given. */
  readonly batchesPerEpoch: number | undefined;
  /** What the order of the batches depends on. */
  readonly fingerprint: string;

  private readonly batchSize: number;
  private readonly pool: number;
  private readonly seed: number;

  constructor(
    private readonly open: (epoch: number) => Iterable<Example> | AsyncIterable<Example>,
    private readonly options: StreamDatasetOptions,
  ) {
    super();
    const where = 'streamDataset';
    const own = ['batchSize', 'pool', 'seed', 'bucketBy', 'batchesPerEpoch', 'fingerprint'];
    assertKnownOptions(where, options, [...own, ...COLLATE_OPTIONS]);
    assert(
      typeof open === 'function',
      () =>
        `${where}: open must be a function that returns an iterable of examples, got ${describe(open)}. ` +
        'An iterable itself is over after one epoch.',
    );
    const { batchSize = 32, pool = 1, seed = 0, bucketBy, batchesPerEpoch, fingerprint } = options;
    this.batchSize = assertInteger(where, 'batchSize', batchSize);
    this.pool = assertInteger(where, 'pool', pool);
    this.seed = assertInteger(where, 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    if (batchesPerEpoch !== undefined) assertInteger(where, 'batchesPerEpoch', batchesPerEpoch);
    this.batchesPerEpoch = batchesPerEpoch;
    this.fingerprint = JSON.stringify({ source: fingerprint, batchSize, pool, seed, bucketBy });
  }

  /**
   * The batches of an epoch, the same ones on every call where the source yields the same examples.
   *
   * @param epoch Number of the epoch, from 0.
   * @param from Number of the first batch, 0 unless given.
   */
  override async *batches(epoch = 0, from = 0): AsyncGenerator<Batch, undefined> {
    assertInteger('StreamDataset.batches', 'epoch', epoch, 0);
    assertInteger('StreamDataset.batches', 'from', from, 0);
    const examples = this.open(epoch);
    assert(
      typeof examples === 'object' &&
        examples !== null &&
        (Symbol.iterator in examples || Symbol.asyncIterator in examples),
      () => `streamDataset: open must return an iterable of examples, got ${describe(examples)}.`,
    );
    const size = this.pool * this.batchSize;
    let held: Example[] = [];
    let pool = 0;
    for await (const example of examples) {
      held.push(example);
      if (held.length < size) continue;
      yield* this.ofPool(held, epoch, pool++, from);
      held = [];
    }
    yield* this.ofPool(held, epoch, pool, from);
    return undefined;
  }

  /** The batches of one pool, without those before `from`. */
  private *ofPool(held: Example[], epoch: number, pool: number, from: number): Generator<Batch> {
    const { batchSize, seed, options } = this;
    const { bucketBy } = options;
    const order = batchOrder(held.length, {
      // Every pool of every epoch has an order of its own.
      ...{ batchSize, seed, epoch: epoch * 2 ** 24 + pool, shuffle: this.pool > 1 },
      lengthOf:
        bucketBy === undefined ? undefined : (row) => lengthOf(held[row].inputs?.[bucketBy]),
    });
    const first = Math.max(0, from - pool * this.pool);
    for (let start = first * batchSize; start < held.length; start += batchSize) {
      const rows = Array.from(order.subarray(start, start + batchSize), (row) => held[row]);
      yield collate('streamDataset', rows, options);
    }
  }
}
