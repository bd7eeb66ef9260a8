/** What a text dataset can be told. */
import type { Tokenizer } from '../tokenizers/tokenizer.js';

/** What a text dataset can yield. */
export type TextInput = 'tokenIds' | 'paddingMask' | 'segmentIds' | 'positions';

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
  /**
   * Documents: lay several behind each other in rows of `sequenceLength`, instead of filling rows up; false. The model
   * must take `segmentIds` (so that they do not see each other), and `positions` where it learned them.
   */
  pack?: boolean;
  /** Documents: put rows of like length into a batch, so that little is filled up; false. */
  bucketByLength?: boolean;
  /** Label of positions that do not count; −100. */
  ignoreIndex?: number;
  /** V, to check ids against; the size of the tokenizer unless given. */
  vocabularySize?: number;
  /**
   * Inputs to yield: `tokenIds`, for documents also `paddingMask`, for packed ones also `segmentIds` (1, 2, … in each
   * row, 0 where it is filled up) and `positions` (from 0 in every document); all of them unless given.
   */
  inputs?: TextInput[];
}
