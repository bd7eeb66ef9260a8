import type * as tf from '@tensorflow/tfjs-core';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { assert, assertInteger, assertKnownOptions, describe } from '../util/errors.js';
import { philox } from '../util/random.js';
import { toTensors, type Batch, type Dataset } from './dataset.js';

/** Options of `textDataset`. */
export interface TextDatasetOptions {
  /** Turns text into ids; needed for strings. */
  tokenizer?: Pick<Tokenizer, 'encode' | 'idOf' | 'size'>;
  /** T: tokens a row. Needed for one text; for documents, the longest there is unless given. */
  sequenceLength?: number;
  /** B: rows a batch; 32. The last batch of an epoch may have fewer. */
  batchSize?: number;
  /** Integer from which the order of every epoch follows; 0. */
  seed?: number;
  /** Whether rows come in another order every epoch; true. */
  shuffle?: boolean;
  /** One text: tokens from the start of one row to the start of the next; `sequenceLength`. */
  stride?: number;
  /** Documents: token before each, an id or its text; none. */
  startToken?: number | string;
  /** Documents: token after each, an id or its text; none. */
  endToken?: number | string;
  /** Documents: token that fills short rows, an id or its text; 0. */
  padToken?: number | string;
  /** Documents: rows are filled up to the `longest` of their batch, or all to `sequenceLength`; `longest`. */
  padTo?: 'longest' | 'sequenceLength';
  /** Documents longer than `sequenceLength`: an `error`, `truncate` them, or `split` them into several rows; `error`. */
  longDocuments?: 'error' | 'truncate' | 'split';
  /** Label of positions that do not count; −100. */
  ignoreIndex?: number;
  /** V, to check ids against; the size of the tokenizer unless given. */
  vocabularySize?: number;
  /** Inputs to yield: `tokenIds`, and for documents `paddingMask`; all of them unless given. */
  inputs?: ('tokenIds' | 'paddingMask')[];
}

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
  'ignoreIndex',
  'vocabularySize',
  'inputs',
] as const;

/** Rows of a dataset: how many there are in an epoch, and each as ids x₀ … x_L (one more than the labels it gives). */
interface Rows {
  count: number;
  /** Row in an epoch. */
  at(row: number, epoch: number): ArrayLike<number>;
  tokens: number;
}

/**
 * Makes batches for next-token prediction: position t of a row has token xₜ as its input and xₜ₊₁ as its label.
 *
 * One text (a string, or ids in one array) is cut into rows of T tokens, `stride` apart; with `shuffle` the cuts fall
 * elsewhere in every epoch. A list of documents (strings, or arrays of ids) gives one row each, between `startToken`
 * and `endToken`, filled up on the right; fillings are false in `paddingMask` and have the ignored label.
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
export function textDataset(
  source: string | readonly string[] | ArrayLike<number> | readonly ArrayLike<number>[],
  options: TextDatasetOptions = {},
): TextDataset {
  return new TextDataset(source, options);
}

/** Batches of text; see `textDataset`. */
export class TextDataset implements Dataset {
  /** Number of batches in every epoch. */
  readonly batchesPerEpoch: number;
  /** Number of tokens in the source, start and end tokens included. */
  readonly tokens: number;
  /** Number of rows in every epoch. */
  readonly rowsPerEpoch: number;
  /** What the order of the batches depends on. */
  readonly fingerprint: string;

  private readonly rows: Rows;
  private readonly batchSize: number;
  private readonly seed: number;
  private readonly shuffle: boolean;
  private readonly padId: number;
  private readonly ignoreIndex: number;
  private readonly fixedLength: number | undefined;
  private readonly names: ('tokenIds' | 'paddingMask')[];
  private epochsBegun = 0;

  constructor(
    source: string | readonly string[] | ArrayLike<number> | readonly ArrayLike<number>[],
    options: TextDatasetOptions,
  ) {
    assertKnownOptions('textDataset', options, OPTIONS);
    const {
      batchSize = 32,
      seed = 0,
      shuffle = true,
      ignoreIndex = -100,
      sequenceLength,
    } = options;
    this.batchSize = assertInteger('textDataset', 'batchSize', batchSize);
    this.seed = assertInteger('textDataset', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
    this.shuffle = shuffle;
    this.ignoreIndex = ignoreIndex;
    this.padId = tokenId('padToken', options.padToken ?? 0, options);
    if (sequenceLength !== undefined)
      assertInteger('textDataset', 'sequenceLength', sequenceLength);
    const documents = isDocuments(source);
    this.rows = documents ? documentRows(source, options) : this.windowRows(source, options);
    this.fixedLength = options.padTo === 'sequenceLength' ? sequenceLength : undefined;
    assert(
      options.padTo !== 'sequenceLength' || sequenceLength !== undefined,
      () => `textDataset: padTo='sequenceLength' needs the option sequenceLength.`,
    );
    const known = documents ? (['tokenIds', 'paddingMask'] as const) : (['tokenIds'] as const);
    this.names = options.inputs ?? [...known];
    for (const name of this.names) {
      assert(
        (known as readonly string[]).includes(name),
        () =>
          `textDataset: inputs must be of ${known.join(', ')} for this source, got ${describe(name)}.`,
      );
    }
    this.tokens = this.rows.tokens;
    this.rowsPerEpoch = this.rows.count;
    this.batchesPerEpoch = Math.ceil(this.rows.count / batchSize);
    this.fingerprint = JSON.stringify({
      rows: this.rows.count,
      tokens: this.tokens,
      batchSize,
      seed,
      shuffle,
    });
  }

  /** Number of batches in an epoch, under the name that TensorFlow.js' `fitDataset` reads. */
  get size(): number {
    return this.batchesPerEpoch;
  }

  /**
   * The batches of an epoch, the same ones on every call.
   *
   * @param epoch Number of the epoch, from 0.
   * @param from Number of the first batch, 0 unless given.
   */
  *batches(epoch = 0, from = 0): Generator<Batch> {
    assertInteger('TextDataset.batches', 'epoch', epoch, 0);
    assertInteger('TextDataset.batches', 'from', from, 0);
    const order = this.shuffle ? permutation(this.rows.count, this.seed, 2 * epoch) : undefined;
    for (let start = from * this.batchSize; start < this.rows.count; start += this.batchSize) {
      const rows: ArrayLike<number>[] = [];
      for (let i = start; i < Math.min(start + this.batchSize, this.rows.count); i++) {
        rows.push(this.rows.at(order ? order[i] : i, epoch));
      }
      yield this.collate(rows);
    }
  }

  /**
   * An iterator as TensorFlow.js' `fitDataset` and `evaluateDataset` take it: tensors `{xs, ys}`, one epoch on from
   * call to call.
   */
  iterator(): Promise<{
    next(): Promise<IteratorResult<{ xs: tf.NamedTensorMap; ys: tf.Tensor }>>;
  }> {
    const batches = this.batches(this.epochsBegun++);
    const next = (): IteratorResult<{ xs: tf.NamedTensorMap; ys: tf.Tensor }> => {
      const { value, done } = batches.next() as IteratorResult<Batch, undefined>;
      if (done) return { value: null, done: true };
      const { inputs, labels } = toTensors(value);
      return { value: { xs: inputs, ys: labels }, done: false };
    };
    return Promise.resolve({ next: () => Promise.resolve(next()) });
  }

  /** Rows to arrays, the short ones filled up on the right. */
  private collate(rows: ArrayLike<number>[]): Batch {
    const length = this.fixedLength ?? Math.max(...rows.map((row) => row.length - 1)); // T
    const shape = [rows.length, length];
    const tokenIds = new Int32Array(rows.length * length).fill(this.padId);
    const paddingMask = new Uint8Array(rows.length * length);
    const labels = new Int32Array(rows.length * length).fill(this.ignoreIndex);
    rows.forEach((row, b) => {
      for (let t = 0; t + 1 < row.length; t++) {
        tokenIds[b * length + t] = row[t];
        paddingMask[b * length + t] = 1;
        labels[b * length + t] = row[t + 1];
      }
    });
    const inputs = {
      tokenIds: { values: tokenIds, shape, dtype: 'int32' as const },
      paddingMask: { values: paddingMask, shape, dtype: 'bool' as const },
    };
    return {
      inputs: Object.fromEntries(this.names.map((name) => [name, inputs[name]])),
      labels: { values: labels, shape, dtype: 'int32' },
    };
  }

  /** One text as overlapping or adjoining rows. */
  private windowRows(source: string | ArrayLike<number>, options: TextDatasetOptions): Rows {
    const { sequenceLength: length } = options;
    assert(length !== undefined, () => 'textDataset: one text needs the option sequenceLength.');
    const stride = assertInteger('textDataset', 'stride', options.stride ?? length);
    for (const name of ['startToken', 'endToken', 'longDocuments', 'padTo'] as const) {
      assert(
        options[name] === undefined,
        () => `textDataset: ${name} is for documents. Give an array of strings, or leave it out.`,
      );
    }
    const ids = Int32Array.from(encode(source, options, ''));
    assert(
      ids.length > length,
      () =>
        `textDataset: the text must have at least sequenceLength + 1 tokens, got ${ids.length} tokens and ` +
        `sequenceLength=${length}. Give more text or shorter rows.`,
    );
    const starts = ids.length - length;
    // Shuffled, the cuts move by up to a stride, and no epoch has fewer rows than another.
    const count = this.shuffle
      ? Math.max(1, Math.floor(starts / stride))
      : Math.ceil(starts / stride);
    const slack = starts - (count - 1) * stride;
    const offset = (epoch: number): number =>
      this.shuffle ? Math.floor((philox(this.seed, 2 * epoch + 1, 1)[0] / 2 ** 32) * slack) : 0;
    const at = (row: number, epoch: number): Int32Array => {
      const start = offset(epoch) + row * stride;
      return ids.subarray(start, start + length + 1);
    };
    return { count, at, tokens: ids.length };
  }
}

function isDocuments(
  source: string | readonly string[] | ArrayLike<number> | readonly ArrayLike<number>[],
): source is readonly string[] | readonly ArrayLike<number>[] {
  assert(
    typeof source === 'string' || Array.isArray(source) || ArrayBuffer.isView(source),
    () =>
      `textDataset: source must be a text, ids, or an array of either, got ${describe(source)}.`,
  );
  assert(source.length > 0, () => 'textDataset: the source must not be empty, got length=0.');
  return typeof source !== 'string' && typeof (source as ArrayLike<unknown>)[0] !== 'number';
}

/** One document a row, or several rows where a long one is split. */
function documentRows(
  documents: readonly string[] | readonly ArrayLike<number>[],
  options: TextDatasetOptions,
): Rows {
  const { sequenceLength = Infinity, longDocuments = 'error' } = options;
  assert(
    ['error', 'truncate', 'split'].includes(longDocuments),
    () =>
      `textDataset: longDocuments must be 'error', 'truncate' or 'split', got longDocuments=${describe(longDocuments)}.`,
  );
  assert(
    options.stride === undefined,
    () => 'textDataset: stride is for one text, not for documents.',
  );
  const edge = (name: 'startToken' | 'endToken'): number[] =>
    options[name] === undefined ? [] : [tokenId(name, options[name], options)];
  const start = edge('startToken');
  const end = edge('endToken');
  const rows: Int32Array[] = [];
  let tokens = 0;
  documents.forEach((document, i) => {
    const ids = Int32Array.from([
      ...start,
      ...Array.from(encode(document, options, `documents[${i}]: `)),
      ...end,
    ]);
    tokens += ids.length;
    assert(
      ids.length >= 2,
      () =>
        `textDataset: documents[${i}] must have at least 2 tokens, got ${ids.length}. ` +
        'Leave it out, or give startToken and endToken.',
    );
    const excess = ids.length - 1 > sequenceLength;
    assert(
      !excess || longDocuments !== 'error',
      () =>
        `textDataset: documents[${i}] must fit into sequenceLength=${sequenceLength}, got ${ids.length - 1} ` +
        `positions. Give longDocuments: 'truncate' or 'split', or longer rows.`,
    );
    if (!excess) rows.push(ids);
    else if (longDocuments === 'truncate') rows.push(ids.slice(0, sequenceLength + 1));
    else {
      for (let at = 0; at + 1 < ids.length; at += sequenceLength) {
        rows.push(ids.slice(at, at + sequenceLength + 1));
      }
    }
  });
  return { count: rows.length, at: (row) => rows[row], tokens };
}

/** Ids of a text, each checked against the vocabulary. */
function encode(
  source: string | ArrayLike<number>,
  options: TextDatasetOptions,
  place: string,
): ArrayLike<number> {
  const { tokenizer } = options;
  const size = options.vocabularySize ?? tokenizer?.size ?? Infinity;
  let ids: ArrayLike<number>;
  if (typeof source === 'string') {
    assert(tokenizer !== undefined, () => 'textDataset: strings need the option tokenizer.');
    ids = tokenizer.encode(source);
  } else ids = source;
  for (let i = 0; i < ids.length; i++) {
    assert(
      Number.isInteger(ids[i]) && ids[i] >= 0 && ids[i] < size,
      () =>
        `textDataset: ${place}token ids must be integers ${size === Infinity ? 'from 0' : `between 0 and ${size - 1}`}, ` +
        `got ids[${i}]=${describe(ids[i])}.`,
    );
  }
  return ids;
}

function tokenId(name: string, token: number | string, options: TextDatasetOptions): number {
  if (typeof token === 'number') {
    const size = options.vocabularySize ?? options.tokenizer?.size ?? Infinity;
    return assertInteger('textDataset', name, token, 0, size - 1);
  }
  assert(
    options.tokenizer !== undefined,
    () =>
      `textDataset: ${name}=${describe(token)} needs the option tokenizer. Give its id instead.`,
  );
  return options.tokenizer.idOf(token);
}

/** A permutation of 0 … count−1 by the shuffle of Fisher and Yates. */
function permutation(count: number, seed: number, call: number): Uint32Array {
  const words = philox(seed, call, count);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((words[i] / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
