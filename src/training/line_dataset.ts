import { assert, assertInteger, assertKnownOptions, describe } from '../util/errors.js';
import { ORDER_OPTIONS } from './array_dataset.js';
import { batchOrder } from './batch_order.js';
import { COLLATE_OPTIONS, collate, type CollateOptions, type Example } from './collate.js';
import { BaseDataset, type Batch } from './dataset.js';
import { nodeFiles, readPiece, type FileHandle, type Files } from '../util/node_files.js';

/** Options of `lineDataset`. */
export interface LineDatasetOptions extends CollateOptions {
  /** Makes an example of a line, for example of its JSON; the same one on every call. */
  parse: (line: string, number: number) => Example;
  /** B: lines a batch; 32. The last batch of an epoch may have fewer. */
  batchSize?: number;
  /** Integer from which the order of every epoch follows; 0. */
  seed?: number;
  /** Whether lines come in another order every epoch; true. */
  shuffle?: boolean;
  /** Put lines of like length into a batch, so that little is filled up; false. */
  bucketByLength?: boolean;
}

const BLOCK = 1 << 20;
const LINE_FEED = 10;

/**
 * Batches of the lines of a file that may be larger than memory; for Node. The file is read once to find the lines (16
 * bytes of memory a line), and from then on each line is read where it stands, when its batch comes. Empty lines do not
 * count.
 *
 *     const dataset = await lineDataset('examples.jsonl', {
 *       parse: (line) => {
 *         const { text, label } = JSON.parse(line);
 *         return { inputs: { tokenIds: tokenizer.encode(text) }, labels: label };
 *       },
 *       masks: { paddingMask: 'tokenIds' },
 *     });
 *
 * @param path Of a text in UTF-8, with line feeds.
 * @param options See `LineDatasetOptions`.
 * @returns The dataset; its order depends on `seed` and the epoch only, over the whole file.
 * @throws Error when there is no such file, or it has no lines.
 */
export async function lineDataset(path: string, options: LineDatasetOptions): Promise<LineDataset> {
  const where = 'lineDataset';
  assertKnownOptions(where, options, [
    ...ORDER_OPTIONS,
    ...COLLATE_OPTIONS,
    'parse',
    'bucketByLength',
  ]);
  const { parse, batchSize = 32, seed = 0 } = options;
  assert(
    typeof parse === 'function',
    () => `${where}: parse must make an example of a line, got parse=${describe(parse)}.`,
  );
  assertInteger(where, 'batchSize', batchSize);
  assertInteger(where, 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const files = await nodeFiles(where, 'Use arrayDataset or streamDataset.');
  const file = await files.open(path, 'r');
  try {
    const bounds = await findLines(file);
    assert(bounds.length > 0, () => `${where}: the file must have lines, got none in '${path}'.`);
    return new LineDataset(files, path, bounds, options);
  } finally {
    await file.close();
  }
}

/** Batches of lines; see `lineDataset`. */
export class LineDataset extends BaseDataset {
  /** Number of batches in every epoch. */
  readonly batchesPerEpoch: number;
  /** Number of lines. */
  readonly lines: number;
  /** What the order of the batches depends on. */
  readonly fingerprint: string;

  /** @param bounds Where each line starts and ends, one pair after the other. */
  constructor(
    private readonly files: Files,
    private readonly path: string,
    private readonly bounds: Float64Array,
    private readonly options: LineDatasetOptions,
  ) {
    super();
    const { batchSize = 32, seed = 0, shuffle = true, bucketByLength = false } = options;
    this.lines = bounds.length / 2;
    this.batchesPerEpoch = Math.ceil(this.lines / batchSize);
    const bytes = bounds.at(-1);
    this.fingerprint = JSON.stringify({
      ...{ lines: this.lines, bytes, batchSize, seed, shuffle, bucketByLength },
    });
  }

  /**
   * The batches of an epoch, the same ones on every call.
   *
   * @param epoch Number of the epoch, from 0.
   * @param from Number of the first batch, 0 unless given.
   */
  override async *batches(epoch = 0, from = 0): AsyncGenerator<Batch, undefined> {
    assertInteger('LineDataset.batches', 'epoch', epoch, 0);
    assertInteger('LineDataset.batches', 'from', from, 0);
    const { bounds, lines, options } = this;
    const { parse, batchSize = 32, seed = 0, shuffle = true, bucketByLength } = options;
    const lengthOf = (line: number): number => bounds[2 * line + 1] - bounds[2 * line];
    const order = batchOrder(lines, {
      ...{ batchSize, seed, epoch, shuffle },
      lengthOf: bucketByLength ? lengthOf : undefined,
    });
    const decoder = new TextDecoder();
    const file = await this.files.open(this.path, 'r');
    try {
      for (let start = from * batchSize; start < lines; start += batchSize) {
        const examples: Example[] = [];
        for (const line of order.subarray(start, start + batchSize)) {
          const bytes = await readPiece(file, bounds[2 * line], lengthOf(line));
          examples.push(parse(decoder.decode(bytes).replace(/\r$/, ''), line));
        }
        yield collate('lineDataset', examples, options);
      }
    } finally {
      await file.close();
    }
  }
}

/** Start and end of every line that is not empty, one pair after the other. */
async function findLines(file: FileHandle): Promise<Float64Array> {
  let bounds = new Float64Array(1024);
  let count = 0;
  let start = 0;
  const add = (end: number): void => {
    if (end > start) {
      if (count + 2 > bounds.length) {
        const larger = new Float64Array(2 * bounds.length);
        larger.set(bounds);
        bounds = larger;
      }
      bounds[count++] = start;
      bounds[count++] = end;
    }
    start = end + 1;
  };
  let position = 0;
  for (;;) {
    const block = await readPiece(file, position, BLOCK);
    if (block.length === 0) break;
    for (let i = block.indexOf(LINE_FEED); i >= 0; i = block.indexOf(LINE_FEED, i + 1)) {
      add(position + i);
    }
    position += block.length;
  }
  add(position);
  return bounds.slice(0, count);
}
