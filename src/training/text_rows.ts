/** A text, or documents, as rows of ids: what a text dataset draws its batches from. */
import { assert, assertInteger, describe } from '../util/errors.js';
import { packDocuments } from './pack_documents.js';
import type { TextDatasetOptions } from './text_dataset_options.js';
import { windows } from './windows.js';

/** One text or several, as strings or as ids. */
export type TextSource =
  string | readonly string[] | ArrayLike<number> | readonly ArrayLike<number>[];

/** A document, or a part of one: ids x₀ … x_L, one more than the positions and labels that it gives. */
export type Piece = ArrayLike<number>;

/** Rows of a dataset: how many there are in an epoch, and the pieces that lie in each, one behind the other. */
export interface Rows {
  /** Rows in every epoch. */
  count: number;
  /** Pieces of a row in an epoch. */
  at(row: number, epoch: number): readonly Piece[];
  /** Positions in a row. */
  lengthOf(row: number): number;
  /** Tokens in the source. */
  tokens: number;
}

/**
 * One text as overlapping or adjoining rows.
 *
 * @param source A string or ids.
 * @param options Length and stride of the rows.
 * @returns The rows.
 */
export function windowRows(source: string | ArrayLike<number>, options: TextDatasetOptions): Rows {
  const { sequenceLength: length } = options;
  assert(length !== undefined, () => 'textDataset: one text needs the option sequenceLength.');
  const stride = assertInteger('textDataset', 'stride', options.stride ?? length);
  const ofDocuments = [
    ...(['startToken', 'endToken', 'longDocuments', 'padTo', 'pack', 'bucketByLength'] as const),
  ];
  for (const name of ofDocuments) {
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
  const { count, startOf } = windows(ids.length, length, {
    stride,
    seed: options.seed ?? 0,
    shuffle: options.shuffle ?? true,
  });
  const at = (row: number, epoch: number): Piece[] => {
    const start = startOf(row, epoch);
    return [ids.subarray(start, start + length + 1)];
  };
  return { count, at, lengthOf: () => length, tokens: ids.length };
}

/**
 * Whether a source is a list of documents.
 *
 * @param source What the dataset was called with.
 * @returns False for one text.
 * @throws Error when it is neither, or empty.
 */
export function isDocuments(
  source: TextSource,
): source is readonly string[] | readonly ArrayLike<number>[] {
  assert(
    typeof source === 'string' || Array.isArray(source) || ArrayBuffer.isView(source),
    () =>
      `textDataset: source must be a text, ids, or an array of either, got ${describe(source)}.`,
  );
  assert(source.length > 0, () => 'textDataset: the source must not be empty, got length=0.');
  return typeof source !== 'string' && typeof (source as ArrayLike<unknown>)[0] !== 'number';
}

/**
 * Documents as rows: one a row, several rows where a long one is split, several documents a row where they are packed.
 *
 * @param documents Strings or ids.
 * @param options Tokens before and after each, what happens to long ones, whether to pack.
 * @returns The rows.
 */
export function documentRows(
  documents: readonly string[] | readonly ArrayLike<number>[],
  options: TextDatasetOptions,
): Rows {
  const { sequenceLength = Infinity, longDocuments = 'error', pack = false } = options;
  assert(
    ['error', 'truncate', 'split'].includes(longDocuments),
    () =>
      `textDataset: longDocuments must be 'error', 'truncate' or 'split', got longDocuments=${describe(longDocuments)}.`,
  );
  assert(
    options.stride === undefined,
    () => 'textDataset: stride is for one text, not for documents.',
  );
  assert(
    !pack || sequenceLength !== Infinity,
    () => 'textDataset: pack needs the option sequenceLength, the room in a row.',
  );
  const edge = (name: 'startToken' | 'endToken'): number[] =>
    options[name] === undefined ? [] : [tokenId(name, options[name], options)];
  const start = edge('startToken');
  const end = edge('endToken');
  const pieces: Int32Array[] = [];
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
    if (!excess) pieces.push(ids);
    else if (longDocuments === 'truncate') pieces.push(ids.slice(0, sequenceLength + 1));
    else {
      for (let at = 0; at + 1 < ids.length; at += sequenceLength) {
        pieces.push(ids.slice(at, at + sequenceLength + 1));
      }
    }
  });
  const lengths = pieces.map((piece) => piece.length - 1);
  if (!pack) {
    return {
      count: pieces.length,
      at: (row) => [pieces[row]],
      lengthOf: (row) => lengths[row],
      tokens,
    };
  }
  const rows = packDocuments(lengths, sequenceLength);
  return {
    count: rows.length,
    at: (row) => rows[row].map((piece) => pieces[piece]),
    lengthOf: (row) => rows[row].reduce((sum, piece) => sum + lengths[piece], 0),
    tokens,
  };
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

/**
 * The id of a token that an option names.
 *
 * @param name Name of the option.
 * @param token Its value: an id or a text.
 * @param options The tokenizer that knows the text.
 * @returns The id.
 */
export function tokenId(name: string, token: number | string, options: TextDatasetOptions): number {
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
