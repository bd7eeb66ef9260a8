import { assert, assertInteger, assertKnownOptions, describe } from '../util/errors.js';
import { batchOrder } from './batch_order.js';
import { BaseDataset, type Batch } from './dataset.js';
import type { TextDatasetOptions, TextInput } from './text_dataset_options.js';
import {
  documentRows,
  isDocuments,
  tokenId,
  windowRows,
  type Piece,
  type Rows,
  type TextSource,
} from './text_rows.js';

const OPTIONS = [
  'tokenizer',
  'sequenceLength',
  'batchSize',
  'seed',
  'shuffle',
  'stride',
  'startToken',
  'endToken',
  'padToken',
  'padTo',
  'longDocuments',
  'pack',
  'bucketByLength',
  'ignoreIndex',
  'vocabularySize',
  'inputs',
] as const;

/**
 * Makes batches for next-token prediction: position t of a row has token xₜ as its input and xₜ₊₁ as its label.
 *
 * One text (a string, or ids in one array) is cut into rows of T tokens, `stride` apart; with `shuffle` the cuts fall
 * elsewhere in every epoch. A list of documents (strings, or arrays of ids) gives one row each, between `startToken`
 * and `endToken`, filled up on the right; fillings are false in `paddingMask` and have the ignored label. With `pack`
 * a row holds as many whole documents as it has room for; the last token of one never has the first of the next as its
 * label, and with `segmentIds` and `positions` the loss is that of the documents one by one.
 *
 * The batches of an epoch depend on `seed` and the number of the epoch only, so that a training run can stop and go on
 * anywhere. A dataset goes into `training.fit`, into a plain loop, or into `fitDataset` and `evaluateDataset` of a
 * model compiled by `training.compile`:
 *
 *     for (const batch of dataset.batches(epoch)) {
 *       const { inputs, labels } = toTensors(batch);     // tokenIds [B,T], paddingMask [B,T]; labels [B,T]
 *     }
 *
 * @param source One text or a list of documents.
 * @param options See `TextDatasetOptions`.
 * @returns The dataset.
 * @throws Error when there is nothing to learn from, or an id is outside the vocabulary.
 */
export function textDataset(source: TextSource, options: TextDatasetOptions = {}): TextDataset {
  return new TextDataset(source, options);
}

/** Batches of text; see `textDataset`. */
export class TextDataset extends BaseDataset {
  /** Number of batches in every epoch. */
  readonly batchesPerEpoch: number;
  /** Number of tokens in the source, start and end tokens included. */
  readonly tokens: number;
  /** Number of rows in every epoch. */
  readonly rowsPerEpoch: number;
  /** What the order of the batches depends on. */
  readonly fingerprint: string;
  /** `segmentIds` where documents are packed. */
  readonly requiredInputs: readonly string[];

  private readonly rows: Rows;
  private readonly batchSize: number;
  private readonly seed: number;
  private readonly shuffle: boolean;
  private readonly bucketByLength: boolean;
  private readonly padId: number;
  private readonly ignoreIndex: number;
  private readonly fixedLength: number | undefined;
  private readonly names: TextInput[];

  constructor(source: TextSource, options: TextDatasetOptions) {
    super();
    assertKnownOptions('textDataset', options, OPTIONS);
    const {
      batchSize = 32,
      seed = 0,
      shuffle = true,
      ignoreIndex = -100,
      sequenceLength,
      pack = false,
      bucketByLength = false,
    } = options;
    this.batchSize = assertInteger('textDataset', 'batchSize', batchSize);
    this.seed = assertInteger('textDataset', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    this.shuffle = shuffle;
    this.bucketByLength = bucketByLength;
    this.ignoreIndex = ignoreIndex;
    this.padId = tokenId('padToken', options.padToken ?? 0, options);
    if (sequenceLength !== undefined)
      assertInteger('textDataset', 'sequenceLength', sequenceLength);
    const documents = isDocuments(source);
    this.rows = documents ? documentRows(source, options) : windowRows(source, options);
    this.fixedLength = options.padTo === 'sequenceLength' ? sequenceLength : undefined;
    assert(
      options.padTo !== 'sequenceLength' || sequenceLength !== undefined,
      () => `textDataset: padTo='sequenceLength' needs the option sequenceLength.`,
    );
    const known: TextInput[] = [
      'tokenIds',
      ...(documents ? (['paddingMask'] as const) : []),
      ...(pack ? (['segmentIds', 'positions'] as const) : []),
    ];
    this.names = options.inputs ?? known;
    for (const name of this.names) {
      assert(
        known.includes(name),
        () =>
          `textDataset: inputs must be of ${known.join(', ')} for this source, got ${describe(name)}.`,
      );
    }
    this.requiredInputs = this.names.filter((name) => name === 'segmentIds');
    this.tokens = this.rows.tokens;
    this.rowsPerEpoch = this.rows.count;
    this.batchesPerEpoch = Math.ceil(this.rows.count / batchSize);
    this.fingerprint = JSON.stringify({
      rows: this.rows.count,
      tokens: this.tokens,
      batchSize,
      seed,
      shuffle,
      ...(pack && { pack }),
      ...(bucketByLength && { bucketByLength }),
    });
  }

  /**
   * The batches of an epoch, the same ones on every call.
   *
   * @param epoch Number of the epoch, from 0.
   * @param from Number of the first batch, 0 unless given.
   */
  override *batches(epoch = 0, from = 0): Generator<Batch, undefined> {
    assertInteger('TextDataset.batches', 'epoch', epoch, 0);
    assertInteger('TextDataset.batches', 'from', from, 0);
    const { rows, batchSize, seed, shuffle, bucketByLength } = this;
    const order = batchOrder(rows.count, {
      ...{ batchSize, seed, epoch, shuffle },
      lengthOf: bucketByLength ? (row) => rows.lengthOf(row) : undefined,
    });
    for (let start = from * batchSize; start < rows.count; start += batchSize) {
      const chosen = Array.from(order.subarray(start, start + batchSize));
      yield this.collate(
        chosen.map((row) => rows.at(row, epoch)),
        this.fixedLength ?? Math.max(...chosen.map((row) => rows.lengthOf(row))),
      );
    }
  }

  /** Rows to arrays, the short ones filled up on the right. */
  private collate(rows: (readonly Piece[])[], length: number): Batch {
    const shape = [rows.length, length]; // [B,T]
    const size = rows.length * length;
    const tokenIds = new Int32Array(size).fill(this.padId);
    const paddingMask = new Uint8Array(size);
    const segmentIds = new Int32Array(size);
    const positions = new Int32Array(size);
    const labels = new Int32Array(size).fill(this.ignoreIndex);
    rows.forEach((pieces, b) => {
      let at = b * length;
      pieces.forEach((ids, piece) => {
        for (let t = 0; t + 1 < ids.length; t++, at++) {
          tokenIds[at] = ids[t];
          paddingMask[at] = 1;
          segmentIds[at] = piece + 1;
          positions[at] = t;
          labels[at] = ids[t + 1];
        }
      });
    });
    const inputs = {
      tokenIds: { values: tokenIds, shape, dtype: 'int32' as const },
      paddingMask: { values: paddingMask, shape, dtype: 'bool' as const },
      segmentIds: { values: segmentIds, shape, dtype: 'int32' as const },
      positions: { values: positions, shape, dtype: 'int32' as const },
    };
    return {
      inputs: Object.fromEntries(this.names.map((name) => [name, inputs[name]])),
      labels: { values: labels, shape, dtype: 'int32' },
    };
  }
}
