import { assert, assertInteger, assertKnownOptions, describe } from '../util/errors.js';
import { batchOrder } from './batch_order.js';
import { BaseDataset, type Batch } from './dataset.js';
import { nodeFiles, readPiece, type Files } from '../util/node_files.js';
import { windows, type Windows } from './windows.js';

/** Options of `tokenFileDataset`. */
export interface TokenFileDatasetOptions {
  /** T: tokens a row. */
  sequenceLength: number;
  /** How ids are stored, the lowest byte first; `uint16`. A text in UTF-8 is a file of `uint8` for `tokenizers.bytes`. */
  dtype?: 'uint8' | 'uint16' | 'uint32';
  /** B: rows a batch; 32. The last batch of an epoch may have fewer. */
  batchSize?: number;
  /** Integer from which the order of every epoch follows; 0. */
  seed?: number;
  /** Whether rows come in another order every epoch, cut elsewhere; true. */
  shuffle?: boolean;
  /** Tokens from the start of one row to the start of the next; `sequenceLength`. */
  stride?: number;
}

const BYTES = { uint8: 1, uint16: 2, uint32: 4 } as const;
const OPTIONS = ['sequenceLength', 'dtype', 'batchSize', 'seed', 'shuffle', 'stride'] as const;

/**
 * Batches for next-token prediction from a file of token ids that may be larger than memory; for Node. Each row is read
 * where it stands, when its batch comes. Rows and their order are those of `textDataset` for the same ids.
 *
 *     const dataset = await tokenFileDataset('book.txt', { dtype: 'uint8', sequenceLength: 256 });   // bytes
 *
 * @param path Of a file of whole numbers, one a token.
 * @param options See `TokenFileDatasetOptions`.
 * @returns The dataset: `tokenIds` [B,T], labels [B,T].
 * @throws Error when there is no such file, or it is too short.
 */
export async function tokenFileDataset(
  path: string,
  options: TokenFileDatasetOptions,
): Promise<TokenFileDataset> {
  const where = 'tokenFileDataset';
  assertKnownOptions(where, options, OPTIONS);
  const { dtype = 'uint16', batchSize = 32, seed = 0, sequenceLength } = options;
  assertInteger(where, 'sequenceLength', sequenceLength);
  assertInteger(where, 'batchSize', batchSize);
  assertInteger(where, 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  if (options.stride !== undefined) assertInteger(where, 'stride', options.stride);
  assert(
    Object.hasOwn(BYTES, dtype),
    () => `${where}: dtype must be 'uint8', 'uint16' or 'uint32', got dtype=${describe(dtype)}.`,
  );
  const files = await nodeFiles(where, 'Use textDataset or streamDataset.');
  const file = await files.open(path, 'r');
  try {
    const { size } = await file.stat();
    assert(
      size % BYTES[dtype] === 0,
      () =>
        `${where}: the file must have ${BYTES[dtype]} bytes a token (dtype '${dtype}'), got ${size} bytes.`,
    );
    const tokens = size / BYTES[dtype];
    assert(
      tokens > sequenceLength,
      () =>
        `${where}: the file must have at least sequenceLength + 1 tokens, got ${tokens} tokens and ` +
        `sequenceLength=${sequenceLength}. Give more text or shorter rows.`,
    );
    return new TokenFileDataset(files, path, tokens, options);
  } finally {
    await file.close();
  }
}

/** Batches of a file of ids; see `tokenFileDataset`. */
export class TokenFileDataset extends BaseDataset {
  /** Number of batches in every epoch. */
  readonly batchesPerEpoch: number;
  /** What the order of the batches depends on. */
  readonly fingerprint: string;
  private readonly rows: Windows;

  /** @param tokens Number of tokens in the file. */
  constructor(
    private readonly files: Files,
    private readonly path: string,
    readonly tokens: number,
    private readonly options: TokenFileDatasetOptions,
  ) {
    super();
    const { sequenceLength: length, batchSize = 32, seed = 0, shuffle = true } = options;
    const { stride = length } = options;
    this.rows = windows(tokens, length, { stride, seed, shuffle });
    this.batchesPerEpoch = Math.ceil(this.rows.count / batchSize);
    this.fingerprint = JSON.stringify({ rows: this.rows.count, tokens, batchSize, seed, shuffle });
  }

  /**
   * The batches of an epoch, the same ones on every call.
   *
   * @param epoch Number of the epoch, from 0.
   * @param from Number of the first batch, 0 unless given.
   */
  override async *batches(epoch = 0, from = 0): AsyncGenerator<Batch, undefined> {
    assertInteger('TokenFileDataset.batches', 'epoch', epoch, 0);
    assertInteger('TokenFileDataset.batches', 'from', from, 0);
    const { rows, options } = this;
    const { sequenceLength: T, dtype = 'uint16', batchSize = 32 } = options;
    const { seed = 0, shuffle = true } = options;
    const order = batchOrder(rows.count, { batchSize, seed, epoch, shuffle });
    const width = BYTES[dtype];
    const file = await this.files.open(this.path, 'r');
    try {
      for (let start = from * batchSize; start < rows.count; start += batchSize) {
        const chosen = order.subarray(start, start + batchSize);
        const shape = [chosen.length, T];
        const tokenIds = new Int32Array(chosen.length * T);
        const labels = new Int32Array(chosen.length * T);
        for (const [b, row] of chosen.entries()) {
          const bytes = await readPiece(file, rows.startOf(row, epoch) * width, (T + 1) * width);
          const view = new DataView(bytes.buffer);
          const idAt = (t: number): number =>
            width === 1
              ? view.getUint8(t)
              : width === 2
                ? view.getUint16(2 * t, true)
                : view.getUint32(4 * t, true);
          for (let t = 0; t < T; t++) {
            tokenIds[b * T + t] = idAt(t);
            labels[b * T + t] = idAt(t + 1);
          }
        }
        yield {
          inputs: { tokenIds: { values: tokenIds, shape, dtype: 'int32' } },
          labels: { values: labels, shape, dtype: 'int32' },
        };
      }
    } finally {
      await file.close();
    }
  }
}
