import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { assert, describe } from '../util/errors.js';
import { assertTokenIds } from '../util/token_ids.js';

/** One prompt: a text (with `tokenizer`) or token ids. */
export type SinglePrompt = string | ArrayLike<number>;
/** Several prompts, of any lengths. */
export type PromptBatch = readonly string[] | readonly ArrayLike<number>[];
/** What `generate` and `stream` go on from. */
export type Prompt = SinglePrompt | PromptBatch;

/**
 * Turns a prompt into rows of ids.
 *
 * @param where Name of the function that was called.
 * @param prompt One prompt or several, texts or ids.
 * @param tokenizer Needed for texts.
 * @param vocabularySize V, for the range of ids.
 * @returns One array a row, and whether a single prompt was given.
 * @throws Error when a prompt is empty, of another type, or holds an id out of range.
 */
export function promptRows(
  where: string,
  prompt: Prompt,
  tokenizer: Tokenizer | undefined,
  vocabularySize: number,
): { rows: number[][]; isSingle: boolean } {
  const isSingle =
    typeof prompt === 'string' ||
    ArrayBuffer.isView(prompt) ||
    (Array.isArray(prompt) && typeof prompt[0] === 'number');
  assert(
    isSingle || Array.isArray(prompt),
    () =>
      `${where}: prompt must be a string, an array of ids, or an array of these, got prompt=${describe(prompt)}.`,
  );
  const list = (isSingle ? [prompt] : prompt) as readonly SinglePrompt[];
  const place = (row: number): string => (isSingle ? '' : ` at row ${row}`);
  const rows = list.map((one, row): number[] => {
    if (typeof one !== 'string') {
      assert(
        ArrayBuffer.isView(one) || Array.isArray(one),
        () =>
          `${where}: a prompt must be a string or an array of ids, got ${describe(one)}${place(row)}.`,
      );
      return Array.from(one as ArrayLike<number>);
    }
    assert(
      tokenizer !== undefined,
      () =>
        `${where}: a prompt of text needs a tokenizer, got tokenizer=undefined. Give { tokenizer }, or token ids.`,
    );
    return tokenizer.encode(one);
  });
  const empty = rows.findIndex((row) => row.length === 0);
  assert(
    rows.length > 0 && empty < 0,
    () =>
      `${where}: prompt must hold at least one token, got an empty one${rows.length > 0 ? place(empty) : ''}. ` +
      'To start from nothing, give the token that texts start with.',
  );
  assertTokenIds(where, isSingle ? rows[0] : rows, vocabularySize);
  return { rows, isSingle };
}
